"""Every network by name: a literal table, which imports no torch.

A new size is a row here; a changed forward pass is a new file.
"""

from __future__ import annotations

from dataclasses import dataclass

from linne.records.errors import LinneError
from linne.records.pixel_spec import PixelSpec

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_LENET_PIXELS = PixelSpec(32, 32, 1, "pad", 32, "bilinear", mean=(0.5,), std=(0.5,))
_IMAGENET_PIXELS = PixelSpec(224, 224, 3, "crop", 256, "bilinear", IMAGENET_MEAN, IMAGENET_STD)


@dataclass(frozen=True, slots=True)
class Entry:
    """One variant of one family.

    Attributes
    ----------
    family : str
        Module below `linne.nets` with a ``Config`` and a ``Network``.
    settings : dict
        Fields of the family's ``Config``.
    year : int
    parameters : int
        Trainable parameters at `classes` classes.
    classes : int
        Classes of the published network.
    pixels : PixelSpec
        The preprocessing that the network was published with.
    """

    family: str
    settings: dict[str, float]
    year: int
    parameters: int
    classes: int
    pixels: PixelSpec


CATALOGUE: dict[str, Entry] = {
    "lenet5": Entry("lenet", {}, 1998, 61_706, 10, _LENET_PIXELS),
    "mobilenet_v2_035": Entry("mobilenet_v2", {"width": 0.35}, 2018, 1_677_128, 1000, _IMAGENET_PIXELS),
    "mobilenet_v2_050": Entry("mobilenet_v2", {"width": 0.5}, 2018, 1_968_680, 1000, _IMAGENET_PIXELS),
    "mobilenet_v2_075": Entry("mobilenet_v2", {"width": 0.75}, 2018, 2_636_424, 1000, _IMAGENET_PIXELS),
    "mobilenet_v2": Entry("mobilenet_v2", {"width": 1.0}, 2018, 3_504_872, 1000, _IMAGENET_PIXELS),
    "mobilenet_v2_140": Entry("mobilenet_v2", {"width": 1.4}, 2018, 6_108_776, 1000, _IMAGENET_PIXELS),
}


def names() -> list[str]:
    """List the networks that `create` builds, oldest first."""
    return list(CATALOGUE)


def entry(name: str) -> Entry:
    """Look a network up; `LinneError` with the known names if there is none."""
    try:
        return CATALOGUE[name]
    except KeyError:
        raise LinneError("no such network", value=name, remedy=f"choose one of {', '.join(names())}") from None
