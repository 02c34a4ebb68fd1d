"""Is each network the one that torchvision and timm build: logits, features and gradients, with their weights?"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator

import pytest
import torch
from references import ARGUMENTS, SLOW, Reference, head_of, noise, references, scenes, settle
from torch import Tensor, nn

from linne.nets.catalogue import CATALOGUE, entry
from linne.nets.translate.rules import translate

LOGITS = 1e-4
GRADIENTS = 1e-3
"""Of the largest gradient of a parameter."""

NOTHING = 1e-5
"""Of the largest gradient of all: what is smaller is rounding."""


def _cases(most: int) -> list[object]:
    """Every variant and twin; all but the cheapest of a family, and those above `most` parameters, are slow."""
    seen: Counter[tuple[str, str]] = Counter()
    cases = []
    for reference in sorted(references(), key=lambda r: entry(r.name).parameters * entry(r.name).gmacs):
        row = entry(reference.name)
        seen[row.family, reference.project] += 1
        slow = seen[row.family, reference.project] > 1 or row.parameters > most
        marks = [pytest.mark.slow] if slow else []
        cases.append(pytest.param(reference, marks=marks, id=f"{reference.name}-{reference.project}"))
    return cases


def _pair(reference: Reference) -> Iterator[tuple[Reference, nn.Module, nn.Module]]:
    """Their network, and ours with its weights."""
    theirs = reference.build()
    settle(theirs, scenes(4, entry(reference.name).pixels.channels, *[sides(reference)[0]] * 2, seed=3))
    yield reference, theirs, reference.ours(theirs)
    gc.collect()


@pytest.fixture(scope="module", params=_cases(SLOW))
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Reference, nn.Module, nn.Module]]:
    yield from _pair(request.param)


@pytest.fixture(params=_cases(SLOW))
def pair_for_gradients(request: pytest.FixtureRequest) -> Iterator[tuple[Reference, nn.Module, nn.Module]]:
    yield from _pair(request.param)


SIDES: dict[tuple[str, str], tuple[int, ...]] = {
    ("timm", "coatnet"): (224,),
    ("timm", "coatnet_rw"): (224,),
    ("timm", "maxvit"): (224,),
    ("timm", "levit"): (224,),
    ("torchvision", "vit"): (224,),
    ("torchvision", "swin"): (96, 132),
    ("torchvision", "swin_v2"): (96, 132),
    ("timm", "swin"): (224,),
    ("timm", "swin_v2"): (256,),
    ("timm", "vit"): (224, 160),
    ("timm", "deit"): (224, 160),
    ("timm", "vit_hybrid"): (224, 135),
    ("torchvision", "inception_v3"): (107, 139),
    ("timm", "inception_v3"): (107, 139),
}
"""Input sizes in pixels by project and family, where not `USUAL`: one alone where theirs takes no other."""

USUAL = (96, 135)


def sides(reference: Reference) -> tuple[int, ...]:
    """Input sizes to compare at: small, since equality does not depend on them, and one that is odd."""
    return SIDES.get((reference.project, entry(reference.name).family), USUAL)


def test_logits_and_features_are_equal(pair: tuple[Reference, nn.Module, nn.Module]) -> None:
    reference, theirs, ours = pair
    for side in sides(reference):
        images = scenes(2, entry(reference.name).pixels.channels, side, side)
        (expected, vector), (logits, found) = (_run(network, images) for network in (theirs, ours))
        scale = max(1.0, float(expected.abs().max()))
        assert (expected[0] - expected[1]).std() > 0.02 * expected.std(), "the logits hardly depend on the image"
        assert (logits - expected).abs().max() <= LOGITS * scale
        assert (found - vector).abs().max() <= LOGITS * max(1.0, float(vector.abs().max()))


def test_gradients_are_equal(pair_for_gradients: tuple[Reference, nn.Module, nn.Module]) -> None:
    reference, theirs, ours = pair_for_gradients
    side = sides(reference)[0]
    batch = 2 if entry(reference.name).family in NEVER_ALONE else 1
    images = scenes(batch, entry(reference.name).pixels.channels, side, side)
    gradients = []
    for network in (theirs, ours):
        network.eval()  # timm's LeViT forgets the biases that it has cached without gradients
        network.double().requires_grad_(True)  # in float32, rounding flips some ReLUs, and with them gradients
        weighed = network(images.double())
        (weighed * noise(*weighed.shape, seed=2)).sum().backward()
        gradients.append({name: p.grad for name, p in network.named_parameters() if p.grad is not None})
    expected, left = translate(gradients[0], entry(reference.name).family, reference.project)
    assert not left
    first = next(name for name, p in ours.named_parameters() if p.ndim == 4)
    assert {first} <= expected.keys() == gradients[1].keys()
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    apart = {
        name: float((gradient - expected[name]).abs().max()) / max(float(expected[name].abs().max()), NOTHING * largest)
        for name, gradient in gradients[1].items()
    }
    assert {name: by for name, by in apart.items() if by > GRADIENTS} == {}


NEVER_ALONE = {"levit"}
"""Families whose reference gets wrong gradients for one image: it flattens and transposes what a batch norm gives, and
PyTorch 2.15 then takes the gradient's strides for another layout's. Ours permutes, see `test_levit`."""


def test_parameters_are_the_tables(pair: tuple[Reference, nn.Module, nn.Module]) -> None:
    reference, theirs, ours = pair
    assert sum(p.numel() for p in ours.parameters()) == entry(reference.name).parameters
    if (reference.project, reference.name) not in DIFFERENT:
        assert sum(p.numel() for p in theirs.parameters()) == entry(reference.name).parameters


DIFFERENT = {("torchvision", f"swin_v2_{size}") for size in ("tiny", "small", "base")}
"""References that hold parameters which the original does not: biases of keys, set to zero in each pass."""


def test_every_reference_with_arguments_is_in_the_catalogue() -> None:
    assert {name for _, name in ARGUMENTS} <= CATALOGUE.keys()


@torch.inference_mode()
def _run(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Logits, and what enters the last layer."""
    entered: list[Tensor] = []
    hook = head_of(network).register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0].flatten(1)))
    logits = network(images)
    hook.remove()
    return logits, entered[-1]
