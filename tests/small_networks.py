"""Networks that are small enough to be run in a test, with statistics as if they had been trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from linne.embed.backbone import Backbone, Features, backbone
from linne.embed.backends import Builder
from linne.embed.measure import Pick
from linne.embed.way import Way
from linne.nets.blocks.drop_path import set_drop_path
from linne.nets.build import create
from linne.nets.catalogue import entry
from linne.records.errors import LinneError
from linne.records.pixel_spec import PixelSpec

REAL_WEIGHTS = Path(__file__).parents[2] / "shared" / "weights" / "mobilenet_v2_imagenet.safetensors"

SMALL = "mobilenet_v2_035"
SIDE = 64
EAGER = Way("eager", "float32", 32, 1)


def small_pixels(side: int = SIDE) -> PixelSpec:
    """The published preprocessing of `SMALL`, at a smaller size."""
    return replace(entry(SMALL).pixels, height=side, width=side, resize=side)


def small_network(classes: int = 10, seed: int = 0) -> nn.Module:
    """The smallest MobileNetV2 with random weights, and statistics that are not those of a fresh network."""
    torch.manual_seed(seed)
    network = create(SMALL, classes)
    lively(network)
    return network


def lively(network: nn.Module) -> None:
    """Give batch norms statistics and factors at random, so that one left out or swapped is noticed."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)


def without_chance(network: nn.Module) -> nn.Module:
    """Nothing is drawn in it any more."""
    for part in network.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    set_drop_path(network, 0.0)
    return network


class OneSize(nn.Module):
    """A network that takes square inputs of one side, as those with a table of positions do."""

    def __init__(self, network: nn.Module, side: int) -> None:
        super().__init__()
        self.network, self.side = network, side

    def stages(self) -> list[nn.Module]:
        return self.network.stages()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[2:] != (self.side, self.side):
            raise LinneError("the network takes no such input")
        return self.network(images)


def small_backbone(seed: int = 0, side: int = SIDE) -> Backbone:
    return backbone(small_network(seed=seed), small_pixels(side))


def gray_backbone() -> Backbone:
    torch.manual_seed(0)
    return backbone(create("lenet5"), entry("lenet5").pixels)


def eager(frozen: Backbone, stage: int | None = None) -> Pick:
    """PyTorch in batches of 32, without measuring."""
    builder = Builder(Features(frozen.network, stage), frozen.pixels)
    return Pick(EAGER, lambda: builder.build(EAGER), {EAGER: 1.0})


def same_state(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def state_of(network: nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.detach().clone() for key, value in network.state_dict().items()}


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)
