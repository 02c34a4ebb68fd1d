"""Which normalisation were these weights trained with?

A weights file seldom says, and the wrong answer costs accuracy without an error. But a batch norm remembers the
mean and variance of what it saw in training: fed with natural images under the right normalisation, the first one
sees them again.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from linne.choose.sample import Sample
from linne.pixels.prepare import normalise, pixels_of
from linne.records.pixel_spec import PixelSpec

CANDIDATES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "ImageNet mean and deviation": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "[-1, 1]": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "[0, 1]": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "[0, 255]": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
}

IMAGES = 32
AT_ONCE = 8
"""More would not fit in the processor's cache, and take twice as long."""

_FLOOR = 1e-3


class _Seen(Exception):  # noqa: N818 - no error: it ends a forward pass whose rest nobody needs
    """The first batch norm has been reached."""


@dataclass(frozen=True)
class Normalisation:
    """The answer: the spec with its mean and deviation, and a sentence of reason."""

    pixels: PixelSpec
    reason: str


def find_normalisation(network: nn.Module, pixels: PixelSpec, sample: Sample) -> Normalisation:
    """Choose among the common normalisations by what the first batch norm remembers.

    Parameters
    ----------
    network : torch.nn.Module
        With pretrained weights, in evaluation mode.
    pixels : PixelSpec
        Size and cropping; its mean and deviation hold where the network has no batch norm, or is not for RGB.
    sample : Sample
        Images of the user's.
    """
    norm = next((module for module in network.modules() if isinstance(module, nn.BatchNorm2d)), None)
    if norm is None or norm.running_mean is None or pixels.channels != 3:
        return Normalisation(pixels, "normalisation as published: the network has no batch norm to ask, or reads gray")
    batch = np.stack([pixels_of(picture, pixels) for picture in sample.pictures[:IMAGES]])
    divergence = {}
    for name, (mean, std) in CANDIDATES.items():
        spec = replace(pixels, mean=mean, std=std)
        divergence[name] = _divergence(network, norm, torch.from_numpy(normalise(batch, spec)))
    best, second = sorted(divergence, key=lambda name: divergence[name])[:2]
    mean, std = CANDIDATES[best]
    reason = (
        f"intensities to {best}: so the statistics of the first batch norm fit these images "
        f"(divergence {divergence[best]:.2f}; {second}: {divergence[second]:.2f})"
    )
    return Normalisation(replace(pixels, mean=mean, std=std), reason)


@torch.inference_mode()
def _divergence(network: nn.Module, norm: nn.BatchNorm2d, images: Tensor) -> float:
    """Median over channels of the Kullback-Leibler divergence between seen and remembered Gaussians."""
    seen: list[Tensor] = []

    def remember(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0][:, :, ::2, ::2].clone())  # neighbours say the same
        raise _Seen

    with norm.register_forward_pre_hook(remember):
        for few in torch.split(images, AT_ONCE):
            with contextlib.suppress(_Seen):
                network(few)
    variance, mean = torch.var_mean(torch.cat(seen), dim=(0, 2, 3))
    variance += _FLOOR
    assert norm.running_mean is not None and norm.running_var is not None  # noqa: PT018, S101 - see the caller
    remembered = norm.running_var + _FLOOR
    ratio = variance / remembered
    kl = 0.5 * (ratio + (mean - norm.running_mean) ** 2 / remembered - 1 - ratio.log())
    return float(kl.median())
