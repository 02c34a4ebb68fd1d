"""Which network for these images?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from linne.choose.normalisation import find_normalisation
from linne.choose.sample import Sample
from linne.nets.build import build
from linne.nets.catalogue import entry
from linne.nets.weights.locate import Located
from linne.records.errors import LinneError, WeightsError
from linne.records.pixel_spec import PixelSpec

SMALL_SIDE = 64
"""Up to this many pixels, LeNet-5's 32 x 32 input loses little."""

SCRATCH_SIDE = 128
"""From random weights a third of the pixels trains three times as long within the same budget."""


UNTRAINED = "none: trained from random weights"


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
    licence : str
        Of the weights, in words.
    reasons : tuple of str
    """

    name: str
    network: nn.Module
    pixels: PixelSpec
    pretrained: bool
    licence: str
    reasons: tuple[str, ...]


def choose(sample: Sample, classes: int, weights: Located | None, network: str | None, seed: int) -> Choice:
    """Choose by what is at hand.

    With weights, their network. Without, the network that the user names, or LeNet-5 for images of up to 64 pixels
    and MobileNetV2 for larger ones.

    Raises
    ------
    WeightsError
        The weights cannot be read, are not for `network`, or read neither one channel nor three.
    LinneError
        No such network.
    """
    if network is not None:
        entry(network)
    if weights is not None:
        return _pretrained(sample, weights, network)
    name = network or ("lenet5" if sample.shorter_side <= SMALL_SIDE else "mobilenet_v2")
    reasons = [f"{name} from random weights: none were given with --weights, and good ones would help"]
    if network is None:
        reasons.append(f"{name} by the images' size: the shorter side is {sample.shorter_side} pixels in the median")
    pixels = entry(name).pixels
    if pixels.channels == 1 and sample.colour:
        pixels = _with_channels(pixels, 3)
        reasons.append("three channels: the images have colour")
    torch.manual_seed(seed)
    built = build(entry(name), classes, pixels.channels).eval()
    if pixels.height > SCRATCH_SIDE:
        resize = round(pixels.resize * SCRATCH_SIDE / pixels.height)
        smaller = replace(pixels, height=SCRATCH_SIDE, width=SCRATCH_SIDE, resize=resize)
        if takes(built, smaller):
            pixels = smaller
            reasons.append(f"{SCRATCH_SIDE} pixels: more epochs within the budget")
    return Choice(name, built, pixels, False, UNTRAINED, tuple(reasons))


def takes(network: nn.Module, pixels: PixelSpec) -> bool:
    """Whether inputs of that size and so many channels go through a network."""
    try:
        with torch.inference_mode():
            network(torch.zeros(1, pixels.channels, pixels.height, pixels.width))
    except (LinneError, RuntimeError, ValueError, AssertionError):
        return False  # a table of positions, a window that does not fit, nothing left of a small input
    return True


def _pretrained(sample: Sample, given: Located, network: str | None) -> Choice:
    weights = given.read(network)
    built = weights.build()
    reasons = [f"{weights.network}: the weights are its own ({weights.naming}'s names, {weights.classes} classes)"]
    if weights.pixels is not None:
        told = "preprocessing as " + ("it was published with" if given.published else "the weights file says")
        return Choice(weights.network, built, weights.pixels, True, given.licence, (*reasons, told))
    if weights.in_channels not in (1, 3):
        raise WeightsError("read neither one channel nor three", file=given.path, value=weights.in_channels)
    pixels = _with_channels(entry(weights.network).pixels, weights.in_channels)
    found = find_normalisation(built, pixels, sample)
    return Choice(weights.network, built, found.pixels, True, given.licence, (*reasons, found.reason))


def _with_channels(pixels: PixelSpec, channels: int) -> PixelSpec:
    """The spec for gray instead of colour or the reverse: every channel as all were in the mean."""
    if channels == pixels.channels:
        return pixels
    mean, std = (sum(values) / len(values) for values in (pixels.mean, pixels.std))
    return replace(pixels, channels=channels, mean=(mean,) * channels, std=(std,) * channels)
