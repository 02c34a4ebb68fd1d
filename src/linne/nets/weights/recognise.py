"""Whose weights are these? Every key is used, every shape checked."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from linne.nets.catalogue import CATALOGUE, Entry, entry
from linne.nets.shapes import on_meta
from linne.nets.translate.rules import PROJECTS, rules_of, translate
from linne.nets.weights.files import REMEDY, read_tensors
from linne.records.errors import WeightsError
from linne.records.pixel_spec import PixelSpec

SHOWN = 3
"""Keys that an error names."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A state dict in our naming.

    Attributes
    ----------
    network : str
        Catalogue name that it fits.
    classes : int
    in_channels : int
    naming : str
        'linne', 'torchvision' or 'timm': whose names the file used.
    state : dict of str to Tensor
    pixels : PixelSpec or None
        The preprocessing, where the file says it: those that linne wrote do.
    """

    network: str
    classes: int
    in_channels: int
    naming: str
    state: dict[str, Tensor]
    pixels: PixelSpec | None


def read_weights(path: Path, network: str | None = None) -> Weights:
    """Read a weights file and find out which network it is for.

    Parameters
    ----------
    path : Path
    network : str, optional
        The catalogue name that is wanted.

    Raises
    ------
    WeightsError
        The file is gone, a pickle, damaged, of no known network, or of another one than `network`; a weight is no
        number, or the preprocessing that it names is for other channels.
    """
    state, pixels = read_tensors(path)
    if network is not None:
        found = recognise(state, network, pixels)
        if found is None:
            raise _misfit(path, state, network)
    else:
        # A file with auxiliary heads also fits the variant without them: those that use all of it come first.
        tries = ((name, whole) for whole in (True, False) for name in _likely(state))
        found = next(filter(None, (recognise(state, name, pixels, whole) for name, whole in tries)), None)
        if found is None:
            raise WeightsError("fits no network in the catalogue", file=path, value=_keys(state), remedy=REMEDY)
    _check(found, path)
    return found


def recognise(
    state: dict[str, Tensor], name: str, pixels: PixelSpec | None = None, whole: bool = False
) -> Weights | None:
    """Give the weights in our naming, if they are those of one network, in anybody's; `whole`: nothing is left out."""
    row = entry(name)
    for naming, ours in _in_our_names(state, row):
        wanted = _shapes(name, row.classes, row.pixels.channels)
        ours = ours if whole else _without_what_a_variant_lacks(ours, wanted)
        # An empty tensor takes no bytes, and so its other sides may claim any size.
        if ours.keys() != wanted.keys() or any(value.numel() == 0 for value in ours.values()):
            continue
        classes, in_channels = _sides(ours, wanted, name) if ours else (0, 0)
        if classes and in_channels and _same(_shapes(name, classes, in_channels), ours):
            return Weights(name, classes, in_channels, naming, ours, pixels)
    return None


def _in_our_names(state: dict[str, Tensor], row: Entry) -> Iterator[tuple[str, dict[str, Tensor]]]:
    yield "linne", state
    if row.family == "timm":
        from linne.nets.timm_catalogue import translated  # timm takes seconds to import

        yield "timm", translated(state, row.timm)
        return
    for project in PROJECTS:
        if rules_of(row.family, project) and (ours := translate(state, row.family, project)) is not None:
            yield project, ours


def _without_what_a_variant_lacks(ours: dict[str, Tensor], wanted: dict[str, torch.Size]) -> dict[str, Tensor]:
    """Leave auxiliary heads out where the variant has none: they are for training only."""
    if any(key.startswith("auxiliary.") for key in wanted):
        return ours
    return {key: value for key, value in ours.items() if not key.startswith("auxiliary.")}


def _sides(ours: dict[str, Tensor], wanted: dict[str, torch.Size], name: str) -> tuple[int, int]:
    """Classes and input channels: the first side of the classifier, the second of the first filters."""
    head = next(key for key in wanted if key.startswith("classifier.") and len(wanted[key]) == 2)
    filters = _first_filters(name)
    if ours[head].ndim != 2 or ours[filters].ndim != 4:
        return 0, 0
    return ours[head].shape[0], ours[filters].shape[1]


def _same(wanted: dict[str, torch.Size], ours: dict[str, Tensor]) -> bool:
    return all(ours[key].shape == shape for key, shape in wanted.items())


@cache
def _shapes(name: str, classes: int, in_channels: int) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in on_meta(entry(name), classes, in_channels).state_dict().items()}


@cache
def _first_filters(name: str) -> str:
    row = entry(name)
    parameters = on_meta(row, row.classes, row.pixels.channels).named_parameters()
    return next(key for key, value in parameters if value.ndim == 4)


_on_meta = on_meta


def _likely(state: dict[str, Tensor]) -> list[str]:
    """Order the catalogue by how near each network's size is to the file's."""
    held = max(1, sum(value.numel() for value in state.values()))
    return sorted(CATALOGUE, key=lambda name: abs(math.log(CATALOGUE[name].parameters / held)))


def _misfit(path: Path, state: dict[str, Tensor], network: str) -> WeightsError:
    """Say whose the weights are, or which keys stand in the way."""
    other = next((name for name in _likely(state) if name != network and recognise(state, name)), None)
    if other is not None:
        return WeightsError(f"is for {other}, not for {network}", file=path, remedy=f"use --network {other}")
    row = entry(network)
    wanted = _shapes(network, row.classes, row.pixels.channels)
    ours = max((named for _, named in _in_our_names(state, row)), key=lambda named: len(named.keys() & wanted))
    missing = [key for key in wanted if key not in ours]
    foreign = [key for key in ours if key not in wanted]
    shapes = [
        f"{key} is {tuple(ours[key].shape)} and should be {tuple(shape)}"
        for key, shape in wanted.items()
        if key in ours and ours[key].shape != shape
    ]
    parts = [("lacks", missing), ("has no place for", foreign), ("has other shapes:", shapes)]
    told = "; ".join(f"{what} {', '.join(keys[:SHOWN])}" for what, keys in parts if keys)
    return WeightsError(f"does not fit {network}: it {told}", file=path, remedy=REMEDY)


def _keys(state: dict[str, Tensor]) -> str:
    return f"{len(state)} tensors: {', '.join(list(state)[:SHOWN])}, ..."


def _check(found: Weights, path: Path) -> None:
    """Refuse what fits a network and still cannot be right."""
    broken = next((key for key, value in found.state.items() if not torch.isfinite(value).all()), None)
    if broken is not None:
        raise WeightsError("holds a weight that is no number", file=path, value=broken, remedy="get the file again")
    if found.pixels is not None and found.pixels.channels != found.in_channels:
        raise WeightsError(
            f"reads {found.in_channels} channels, and its preprocessing gives {found.pixels.channels}",
            file=path,
            remedy="write it again with the preprocessing that it was trained with",
        )
