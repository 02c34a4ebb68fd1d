"""Which weights are published for a network: where, under which licence, with which preprocessing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

from linne.nets.catalogue import entry
from linne.records.errors import WeightsError
from linne.records.pixel_spec import Fit, Interpolation, PixelSpec

IMAGENET = "imagenet"
"""Stands for the most accurate weights of 1000 classes that may be shipped, at the network's size if there are some."""

PERMISSIVE = ("apache-2.0", "mit", "bsd-3-clause", "")
"""Licences under which weights may be shipped; '' is torchvision's, which states none of its own for each file."""

Project = Literal["torchvision", "timm"]


@dataclass(frozen=True, slots=True)
class Published:
    """One set of weights.

    Attributes
    ----------
    network : str
        Catalogue name.
    project : {'torchvision', 'timm'}
        Who publishes it, and whose names its tensors have.
    tag : str
        What it is called there.
    source : str
        torchvision's name of the weights, or the repository on timm's hub.
    file : str
        Name of the file there. torchvision's ends in the first eight digits of its SHA-256.
    licence : str
        '' is torchvision's, which states none for each file; timm's rows say where timm states none.
    classes : int
        1000 for ImageNet-1k; others for the larger data sets.
    top1, top5 : float or None
        Published accuracy in %, at the size of `pixels`, on ImageNet's validation images.
    pixels : PixelSpec
    """

    network: str
    project: Project
    tag: str
    source: str
    file: str
    licence: str
    classes: int
    top1: float | None
    top5: float | None
    pixels: PixelSpec

    @property
    def path(self) -> str:
        """Place below a cache or mirror folder, with forward slashes."""
        folder = "torchvision" if self.project == "torchvision" else f"timm/{self.source.split('/')[-1]}"
        return f"{folder}/{self.file}"

    @property
    def may_be_shipped(self) -> bool:
        """Whether its licence allows commercial use without more."""
        return self.licence in PERMISSIVE


@cache
def _table() -> dict[str, tuple[Published, ...]]:
    with (Path(__file__).parent / "published.csv").open(encoding="utf-8", newline="") as file:
        rows = [_row(fields) for fields in csv.DictReader(file)]
    return {name: tuple(row for row in rows if row.network == name) for name in {row.network for row in rows}}


def _row(fields: dict[str, str]) -> Published:
    side = int(fields["side"])
    mean, std = (tuple(float(value) for value in fields[key].split()) for key in ("mean", "std"))
    return Published(
        fields["network"],
        cast(Project, fields["project"]),
        fields["tag"],
        fields["source"],
        fields["file"],
        fields["licence"],
        int(fields["classes"]),
        float(fields["top1"]) if fields["top1"] else None,
        float(fields["top5"]) if fields["top5"] else None,
        PixelSpec(
            side,
            side,
            3,
            cast(Fit, fields["fit"]),
            int(fields["resize"]),
            cast(Interpolation, fields["interpolation"]),
            mean,
            std,
        ),
    )


def published(network: str) -> tuple[Published, ...]:
    """List the weights of one network, the best first; `LinneError` if there is no such network."""
    if network.startswith("timm:"):
        from linne.nets.timm_catalogue import timm_published  # imports torch, which listing the others must not

        return timm_published(network)
    entry(network)
    return tuple(sorted(_table().get(network, ()), key=lambda row: -(row.top1 or 0.0)))


def every_published() -> Iterator[Published]:
    """Give all weights, network by network."""
    for name in sorted(_table()):
        yield from published(name)


def pick(network: str, wanted: str) -> Published:
    """Find weights by what a person says.

    Parameters
    ----------
    network : str
        Catalogue name.
    wanted : str
        'imagenet' for the most accurate with 1000 classes whose licence allows shipping, trained for the network's own
        input size where there are some; 'imagenet:TAG' or a tag for others.

    Raises
    ------
    WeightsError
        There are none, or none that may be shipped, or no such tag; it lists what there is.
    """
    there = published(network)
    if not there:
        raise WeightsError("no weights are published for this network", value=network, remedy="give a file")
    tags = ", ".join(dict.fromkeys(row.tag for row in there))
    tag = wanted.lower().removeprefix(f"{IMAGENET}:")
    if tag == IMAGENET:
        shippable = [row for row in there if row.classes == 1000 and row.may_be_shipped]
        if shippable:
            side = entry(network).pixels.height
            return next((row for row in shippable if row.pixels.height == side), shippable[0])
        licences = ", ".join(sorted({row.licence for row in there}))
        raise WeightsError(
            f"the weights of {network} are published under {licences} only, which must be read before shipping",
            remedy=f"ask for them by name if you agree: {tags}",
        )
    found = next((row for row in there if row.tag.lower() == tag), None)
    if found is None:
        raise WeightsError(f"no such weights of {network}", value=wanted, remedy=f"choose {IMAGENET} or one of {tags}")
    return found
