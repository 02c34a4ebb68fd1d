"""Is AugMix torchvision's, and every draw that of its image?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from images import scene
from PIL import Image
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

from linne.fit.augmix import CHANGES, DEPTHS, SEVERITY, WIDTH, Blend, augmix, blend, drawn
from linne.fit.automatic import BINS, apply, strength
from linne.fit.draw import rng_of

THEIRS = {
    "shear_x": "ShearX",
    "shear_y": "ShearY",
    "translate_x": "TranslateX",
    "translate_y": "TranslateY",
    "rotate": "Rotate",
    "brightness": "Brightness",
    "colour": "Color",
    "contrast": "Contrast",
    "sharpness": "Sharpness",
    "posterize": "Posterize",
    "solarize": "Solarize",
    "autocontrast": "AutoContrast",
    "equalize": "Equalize",
}
OURS = {theirs: ours for ours, theirs in THEIRS.items()}
FILL = [124.0, 116.0, 104.0]


class Recorded(v2.AugMix):
    """torchvision's AugMix, which tells what it drew, and does its operations on Pillow's pictures, as we do."""

    def __init__(self, depth: int) -> None:
        super().__init__(chain_depth=depth, fill=FILL)
        self.shares: list[torch.Tensor] = []
        self.done: list[tuple[str, float]] = []

    def _sample_dirichlet(self, params: torch.Tensor) -> torch.Tensor:
        self.shares.append(super()._sample_dirichlet(params))
        return self.shares[-1]

    def _apply_image_or_video_transform(self, image, transform_id, magnitude, interpolation, fill):  # type: ignore[no-untyped-def]
        self.done.append((OURS[transform_id], 255 * magnitude if transform_id == "Solarize" else magnitude))
        changed = super()._apply_image_or_video_transform(
            functional.to_pil_image(image[0]), transform_id, magnitude, interpolation, {Image.Image: FILL}
        )
        return functional.pil_to_tensor(changed)[None]


def picture(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(scene(50, 70, seed=3)).convert(mode)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("seed", range(8))
def test_the_blend_is_torchvisions(depth: int, seed: int) -> None:
    torch.manual_seed(seed)
    reference = Recorded(depth)
    expected = reference(picture())
    (own, rest), shares = reference.shares[0][0], reference.shares[1][0]
    chains = tuple(tuple(reference.done[start : start + depth]) for start in range(0, WIDTH * depth, depth))
    how = Blend(float(own), tuple(float(share * rest) for share in shares), chains)
    found = blend(picture(), how, FILL)
    assert len(reference.done) == WIDTH * depth
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("step", range(SEVERITY))
@pytest.mark.parametrize("operation", CHANGES)
def test_operations_are_torchvisions(operation: str, step: int) -> None:
    reference = v2.AugMix()
    magnitudes, signed = reference._AUGMENTATION_SPACE[THEIRS[operation]]
    values = magnitudes(BINS["augmix"], 50, 70)
    for sign in (1, -1) if signed else (1,):
        amount = 0.0 if values is None else sign * float(values[step])
        scaled = 255 * amount if operation == "solarize" else amount
        assert strength(operation, "augmix", step, sign, (70, 50)) == pytest.approx(scaled, abs=1e-4)
        expected = reference._apply_image_or_video_transform(
            picture(), THEIRS[operation], amount, InterpolationMode.BILINEAR, {Image.Image: FILL}
        )
        assert np.array_equal(apply(picture(), operation, scaled, FILL, smooth=True), expected)


def test_settings_and_operations_are_torchvisions_defaults() -> None:
    reference = v2.AugMix()
    assert (reference.severity, reference.mixture_width, reference._PARAMETER_MAX) == (SEVERITY, WIDTH, BINS["augmix"])
    assert reference.alpha == 1
    assert reference.chain_depth < 0  # one to three
    assert reference.all_ops
    assert InterpolationMode(reference.interpolation) == InterpolationMode.BILINEAR
    assert set(THEIRS) == set(CHANGES)
    assert set(THEIRS.values()) == reference._AUGMENTATION_SPACE.keys()


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_draws_depend_on_the_generator_alone(mode: str) -> None:
    views = [augmix(picture(mode), rng_of(0, 0, row), FILL[: len(mode)]).tobytes() for row in range(40)]
    again = [augmix(picture(mode), rng_of(0, 0, row), FILL[: len(mode)]).tobytes() for row in reversed(range(40))]
    assert views == again[::-1]
    assert len(set(views)) == 40


def test_draws_follow_the_published_distributions() -> None:
    made = [drawn((70, 50), rng_of(0, 0, row)) for row in range(3000)]
    own = np.array([one.own for one in made])
    shares = np.array([one.shares for one in made])
    depths = np.array([[len(chain) for chain in one.chains] for one in made])
    assert {operation for one in made for chain in one.chains for operation, _ in chain} == set(CHANGES)
    assert np.allclose(own + shares.sum(1), 1)
    assert own.mean() == pytest.approx(1 / 2, abs=0.02)  # Beta(1, 1)
    assert own.var() == pytest.approx(1 / 12, rel=0.1)
    parts = shares / shares.sum(1, keepdims=True)
    assert parts.mean(0) == pytest.approx([1 / 3] * 3, abs=0.02)  # Dirichlet(1, 1, 1)
    assert parts.var(0) == pytest.approx([1 / 18] * 3, rel=0.1)
    assert np.bincount(depths.ravel(), minlength=4)[1:] / depths.size == pytest.approx([1 / 3] * 3, abs=0.02)


def test_a_view_stays_a_likely_picture() -> None:
    """Weak operations, blended with the picture itself: nothing is turned far or taken away."""
    given = np.asarray(picture(), float)
    views = [np.asarray(augmix(picture(), rng_of(0, 0, row), FILL), float) for row in range(50)]
    changed = [np.abs(view - given).mean() for view in views]
    assert 0 < np.mean(changed) < 40
