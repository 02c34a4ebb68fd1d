"""Which network for these images?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from linne.choose.normalisation import find_normalisation
from linne.choose.sample import Sample
from linne.nets.build import build
from linne.nets.catalogue import entry
from linne.nets.weights import read_weights
from linne.records.pixel_spec import PixelSpec

SMALL_SIDE = 64
"""Up to this many pixels, LeNet-5's 32 x 32 input loses little."""

SCRATCH_SIDE = 128
"""From random weights a third of the pixels trains three times as long within the same budget."""


@dataclass(frozen=True)
class Choice:
    """A network, built, and its preprocessing.

    Attributes
    ----------
    name : str
        Catalogue name.
    network : torch.nn.Module
        With the pretrained weights, or random from the seed.
    pixels : PixelSpec
    pretrained : bool
    reasons : tuple of str
    """

    name: str
    network: nn.Module
    pixels: PixelSpec
    pretrained: bool
    reasons: tuple[str, ...]


def choose(sample: Sample, classes: int, weights: Path | None, network: str | None, seed: int) -> Choice:
    """Choose by what is at hand.

    With weights, their network. Without, the network that the user names, or LeNet-5 for images of up to 64 pixels
    and MobileNetV2 for larger ones.

    Raises
    ------
    WeightsError
        The weights cannot be read, or are not for `network`.
    LinneError
        No such network.
    """
    if weights is not None:
        return _pretrained(sample, weights, network)
    name = network or ("lenet5" if sample.shorter_side <= SMALL_SIDE else "mobilenet_v2")
    reasons = [f"{name} from random weights: none were given with --weights, and good ones would help"]
    if network is None:
        reasons.append(f"{name} by the images' size: the shorter side is {sample.shorter_side} pixels in the median")
    pixels = entry(name).pixels
    if pixels.channels == 1 and sample.colour:
        pixels = replace(pixels, channels=3, mean=pixels.mean * 3, std=pixels.std * 3)
        reasons.append("three channels: the images have colour")
    if pixels.height > SCRATCH_SIDE:
        resize = round(pixels.resize * SCRATCH_SIDE / pixels.height)
        pixels = replace(pixels, height=SCRATCH_SIDE, width=SCRATCH_SIDE, resize=resize)
        reasons.append(f"{SCRATCH_SIDE} pixels: more epochs within the budget")
    torch.manual_seed(seed)
    return Choice(name, build(entry(name), classes, pixels.channels).eval(), pixels, False, tuple(reasons))


def _pretrained(sample: Sample, path: Path, network: str | None) -> Choice:
    weights = read_weights(path, network)
    built = build(entry(weights.network), weights.classes, weights.in_channels)
    built.load_state_dict(weights.state, strict=True)
    built.eval()
    reasons = [f"{weights.network}: the weights are its own ({weights.naming}'s names, {weights.classes} classes)"]
    if weights.pixels is not None:
        return Choice(
            weights.network, built, weights.pixels, True, (*reasons, "preprocessing as the weights file says")
        )
    found = find_normalisation(built, entry(weights.network).pixels, sample)
    return Choice(weights.network, built, found.pixels, True, (*reasons, found.reason))
