"""Which rows stand for the catalogue in a fast test, and at which input sizes."""

from __future__ import annotations

import pytest
import torch
from references import noise, revive
from torch import Tensor, nn

from linne.nets import create
from linne.nets.catalogue import CATALOGUE, entry

SMALLEST_SIDE = {"alexnet_2012": 67, "inception_v3": 107, "levit": 80}
"""Pixels, where a family takes no image of 64, or has too few places left then for all of it to matter."""

GAINS = {"resnet1202_cifar": 0.6, **{name: 1.75 for name in CATALOGUE if name.startswith("plain")}}
"""How much larger weights are drawn, where signals would vanish (110 layers without shortcuts) or overflow (1202)."""


LARGE = 5_000_000
"""Parameters above which a network is tested by `make test-all` alone."""


def cheapest() -> list[str]:
    """Give the cheapest variant of each family."""
    found: dict[str, str] = {}
    for name, row in sorted(CATALOGUE.items(), key=lambda item: item[1].parameters * item[1].gmacs):
        found.setdefault(row.family, name)
    return list(found.values())


def is_slow(name: str) -> bool:
    """Whether a network is large, or deep."""
    return entry(name).parameters > LARGE or entry(name).family == "preact_resnet"


def every_family() -> list[object]:
    """Give the cheapest variant of each family; large ones are slow."""
    return [_marked(name, is_slow(name)) for name in cheapest()]


def every_network() -> list[object]:
    """Give the whole catalogue; what is large, or not the cheapest of its family, is slow."""
    fast = cheapest()
    return [_marked(name, name not in fast or is_slow(name)) for name in CATALOGUE]


def _marked(name: str, slow: bool) -> object:
    return pytest.param(name, marks=[pytest.mark.slow] if slow else [])


def side(name: str) -> int:
    """Give an input size that is cheap: 64 pixels or a little more, or the published 32."""
    return min(entry(name).pixels.height, SMALLEST_SIDE.get(entry(name).family, 64))


def lively_network(name: str, seed: int = 0, **more: object) -> nn.Module:
    """A network whose weights and statistics are all at work."""
    torch.manual_seed(seed)
    network = create(name, **more)
    revive(network, GAINS.get(name, 1.0))
    return network


def images_for(name: str, batch: int = 2, pixels: int | None = None, channels: int | None = None) -> Tensor:
    """Noise of a size that is cheap."""
    pixels = pixels or side(name)
    return noise(batch, channels or entry(name).pixels.channels, pixels, pixels)
