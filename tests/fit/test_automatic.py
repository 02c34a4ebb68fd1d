"""Are the operations torchvision's, and every draw that of its image?"""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from images import scene
from PIL import Image
from small_networks import small_pixels
from torchvision.transforms import InterpolationMode, v2

from linne.fit.augment import random_view
from linne.fit.automatic import BINS, OPERATIONS, apply, automatic, strength
from linne.fit.draw import rng_of
from linne.fit.erase import AREA, RATIO, erase
from linne.fit.policy import Policy
from linne.pixels.shrunk import Decoded
from linne.records.recipe import Automatic

THEIRS = {
    "identity": "Identity",
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
REFERENCE = {"trivial": v2.TrivialAugmentWide(), "rand": v2.RandAugment()}
FILL = [124.0, 116.0, 104.0]


@pytest.mark.parametrize("step", [0, 9, 17, 30])
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", REFERENCE)
def test_operations_are_torchvisions(kind: Automatic, operation: str, step: int) -> None:
    reference = REFERENCE[kind]
    magnitudes, signed = reference._AUGMENTATION_SPACE[THEIRS[operation]]
    values = magnitudes(BINS[kind], 50, 70)
    picture = Image.fromarray(scene(50, 70, seed=3))
    for sign in (1, -1) if signed else (1,):
        amount = 0.0 if values is None else sign * float(values[step])
        expected = reference._apply_image_or_video_transform(
            picture, THEIRS[operation], amount, InterpolationMode.NEAREST, {Image.Image: FILL}
        )
        ours = strength(operation, kind, step, sign, picture.size)
        assert ours == pytest.approx(255 * amount if operation == "solarize" else amount, abs=1e-4)
        found = apply(picture, operation, 255 * amount if operation == "solarize" else amount, FILL)
        assert np.array_equal(found, expected)


def test_every_operation_of_torchvision_is_there() -> None:
    for reference in REFERENCE.values():
        assert set(THEIRS.values()) == reference._AUGMENTATION_SPACE.keys()
    assert set(THEIRS) == set(OPERATIONS)


@pytest.mark.parametrize("kind", REFERENCE)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_all_operations_are_drawn_for_gray_too(kind: Automatic, mode: str) -> None:
    picture = Image.fromarray(scene(32, 32, seed=1)).convert(mode)
    views = [automatic(picture, kind, rng_of(0, 0, row), FILL[: len(mode)]) for row in range(200)]
    assert {(view.mode, view.size) for view in views} == {(mode, (32, 32))}
    assert len({view.tobytes() for view in views}) > 100


@pytest.mark.parametrize("kind", ["trivial", "rand", "augmix"])
@pytest.mark.parametrize("side", [28, 96])
@pytest.mark.parametrize("channels", [1, 3])
def test_views_depend_on_seed_epoch_and_image_alone(kind: Automatic, side: int, channels: int) -> None:
    spec = small_pixels(side)
    if channels == 1:
        spec = type(spec)(side, side, 1, "stretch", 0, "bilinear", (0.5,), (0.5,))
    picture = Image.fromarray(scene(90, 120, seed=2)).convert("RGB" if channels == 3 else "L")
    pixels = np.asarray(picture).reshape(90, 120, channels)
    policy = Policy.named(kind, True)

    def view(*seed: int) -> bytes:
        out = torch.empty(1, side, side, channels, dtype=torch.uint8).permute(0, 3, 1, 2)
        random_view(Decoded(pixels), spec, policy, rng_of(*seed), out)
        return out.contiguous().numpy().tobytes()

    keys = [(0, 0, row) for row in range(20)] + [(0, 1, 0), (1, 0, 0)]
    first = [view(*key) for key in keys]
    assert first[::-1] == [view(*key) for key in keys[::-1]]
    assert len(set(first)) == len(keys)


def test_erasing_puts_noise_into_a_rectangle_of_the_published_size() -> None:
    shares, ratios, places = [], [], np.zeros((60, 80), int)
    for row in range(300):
        out = torch.full((1, 60, 80, 3), 7, dtype=torch.uint8).permute(0, 3, 1, 2)
        erase(out, rng_of(0, 0, row))
        changed = (out[0] != 7).any(0).numpy()
        down, across = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        tall, wide = np.ptp(down) + 1, np.ptp(across) + 1
        shares.append(tall * wide / (60 * 80))
        ratios.append(tall / wide)
        places += changed
        assert changed.sum() > 0.97 * tall * wide
    assert AREA[0] * 0.8 < min(shares) < 0.04 < 0.28 < max(shares) < AREA[1] * 1.1
    assert RATIO[0] * 0.8 < min(ratios) < 0.5 < 2 < max(ratios) < RATIO[1] * 1.2
    assert (places > 0).mean() > 0.97


def test_a_quarter_of_the_views_is_erased_where_the_policy_says_so() -> None:
    spec, flat = small_pixels(96), np.full((120, 120, 3), 7, np.uint8)
    erased = 0
    for row in range(400):
        out = torch.empty(1, 96, 96, 3, dtype=torch.uint8).permute(0, 3, 1, 2)
        random_view(Decoded(flat), spec, Policy(False, colour=0, erase=0.25), rng_of(0, 0, row), out)
        erased += bool((out != 7).any())
    assert 70 < erased < 130


def test_rng_gives_its_own_stream() -> None:
    assert isinstance(rng_of(1, 2, 3), random.Random)
    assert rng_of(1, 2, 3).random() != rng_of(1, 3, 2).random()
