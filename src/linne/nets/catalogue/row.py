"""What a row of the catalogue says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from linne.nets.catalogue.papers import PAPERS
from linne.records.pixel_spec import Interpolation, PixelSpec

Triple = tuple[float, float, float]

IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)
HALF: Triple = (0.5, 0.5, 0.5)
ZERO: Triple = (0.0, 0.0, 0.0)
ONE: Triple = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One variant of one family.

    Attributes
    ----------
    family : str
        Module below `linne.nets.families` with a ``Config`` and a ``Network``.
    settings : dict
        Fields of the family's ``Config``.
    paper : str
        Key in `linne.nets.catalogue.papers.PAPERS`.
    parameters : int
        At `classes` classes; scales and offsets of batch norms count, running statistics do not.
    gmacs : float
        Multiply-adds of convolutions and matrix products for one image of `pixels`, in 10^9.
    pixels : PixelSpec
        The preprocessing that the network was published with.
    classes : int
        Classes of the published network.
    torchvision, timm : str
        What the same network is called there, where it is there.
    """

    family: str
    settings: dict[str, Any]
    paper: str
    parameters: int
    gmacs: float
    pixels: PixelSpec
    classes: int = 1000
    torchvision: str = field(default="", kw_only=True)
    timm: str = field(default="", kw_only=True)

    @property
    def year(self) -> int:
        """When its paper was first made public."""
        return PAPERS[self.paper].year


def imagenet(
    side: int,
    crop: float = 0.875,
    interpolation: Interpolation = "bilinear",
    mean: Triple = IMAGENET_MEAN,
    std: Triple = IMAGENET_STD,
) -> PixelSpec:
    """Preprocessing for ImageNet: the shorter side scaled to ``side / crop``, the centre cut."""
    return PixelSpec(side, side, 3, "crop", int(side / crop), interpolation, mean, std)


LENET = PixelSpec(32, 32, 1, "pad", 32, "bilinear", mean=(0.5,), std=(0.5,))

LENET_1998 = PixelSpec(32, 32, 1, "pad", 32, "bilinear", mean=(0.1 / 1.275,), std=(1 / 1.275,))
"""The paper's (section II.B), for ink that is light on dark, as in MNIST's files: background -0.1, ink 1.175."""

CIFAR = PixelSpec(32, 32, 3, "crop", 32, "bilinear", mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616))
"""Means and standard deviations of CIFAR-10's training images."""
