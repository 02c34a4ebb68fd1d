"""Whose weights are these? Every key is used, every shape checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from linne.nets.build import build
from linne.nets.catalogue import CATALOGUE, entry
from linne.nets.shapes import on_meta
from linne.nets.translate.rules import PROJECTS, translate
from linne.nets.weights.files import REMEDY, read_tensors
from linne.nets.weights.in_our_names import (
    in_our_names,
    shapes_of,
    timm_names,
    unwrapped,
    with_counters,
    without_auxiliary_heads,
)
from linne.records.errors import LinneError, WeightsError
from linne.records.pixel_spec import PixelSpec

SHOWN, LONGEST_KEY = 3, 120
"""Keys that an error names, and how many characters of each."""

AGAIN = "get the file again"

NEAR = 30
"""Networks nearest in size, among which the owner of weights that do not fit is looked for: all would take seconds."""


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
    new_head : bool
        The classifier is the linear layer that `replace_head` put in the place of the published one.
    """

    network: str
    classes: int
    in_channels: int
    naming: str
    state: dict[str, Tensor]
    pixels: PixelSpec | None = None
    new_head: bool = False

    def build(self, drop_path: float | None = None) -> nn.Module:
        """Build the network with these weights, in evaluation mode."""
        network = build(entry(self.network), self.classes, self.in_channels, drop_path)
        if self.new_head:
            network.replace_head(self.classes)  # type: ignore[operator]
        network.load_state_dict(self.state, strict=True)
        return network.eval()


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
        The file is gone, damaged, or a pickle of anything but tensors; it is of no known network, of several alike, or
        of another one than `network`; a weight is no number, or the preprocessing that it names is for other channels.
    """
    held = read_tensors(path)
    held = replace(held, state=unwrapped(held.state))
    if held.network is not None:
        try:
            entry(held.network)
        except LinneError as error:
            problem = "says that it is for a network that there is not"
            raise WeightsError(problem, file=path, value=held.network, remedy=REMEDY) from error
    wanted = network or held.network
    if held.network not in (None, wanted):
        raise WeightsError(
            f"says that it is for {held.network}, not for {network}", file=path, remedy=f"use --network {held.network}"
        )
    found = _find_out(path, held.state) if wanted is None else recognise(held.state, wanted)
    if found is None and held.network is not None:
        told = _what_does_not_fit(held.state, held.network)
        raise WeightsError(
            f"says that it is for {held.network}, and is not: it {told}", file=path, remedy="write it again"
        )
    if found is None:
        raise _misfit(path, held.state, str(wanted))
    found = replace(found, pixels=held.pixels)
    _check(found, path)
    return found


def recognise(state: dict[str, Tensor], name: str, whole: bool = False) -> Weights | None:
    """Give the weights in our naming, if they are those of one network, in anybody's; `whole`: nothing is left out."""
    row = entry(name)
    for naming, ours in in_our_names(state, row):
        new_head = naming == "linne" and "classifier.weight" in ours
        wanted = shapes_of(name, row.classes, row.pixels.channels, new_head)
        ours = with_counters(ours, wanted)
        ours = ours if whole else without_auxiliary_heads(ours, wanted, name)
        # An empty tensor takes no bytes, and so its other sides may claim any size.
        if ours.keys() != wanted.keys() or any(value.numel() == 0 for value in ours.values()):
            continue
        classes, in_channels = _sides(ours, wanted, name) if ours else (0, 0)
        if classes and in_channels and _same(shapes_of(name, classes, in_channels, new_head), ours):
            return Weights(name, classes, in_channels, naming, ours, new_head=new_head)
    return None


def _find_out(path: Path, state: dict[str, Tensor]) -> Weights:
    """Try the catalogue, the likeliest first; a file with auxiliary heads also fits the variant without them."""
    tries = ((name, whole) for whole in (True, False) for name in _likely(state))
    found = next(filter(None, (recognise(state, name, whole) for name, whole in tries)), None)
    if found is None:
        raise WeightsError("fits no network in the catalogue", file=path, value=_keys(state), remedy=REMEDY)
    alike = [name for name in _computing_otherwise(found) if recognise(state, name)]
    if alike:
        raise WeightsError(
            f"fits {found.network} and {' and '.join(alike)} alike, which compute differently",
            file=path,
            remedy="say which with --network",
        )
    return found


def _computing_otherwise(found: Weights) -> list[str]:
    """Other networks of the same size, in a project that has them, that are not the same network trained otherwise."""
    row = entry(found.network)
    return [
        name
        for name, other in CATALOGUE.items()
        if other.parameters == row.parameters
        and (other.family, other.settings) != (row.family, row.settings)
        and (found.naming == "linne" or getattr(other, found.naming))
    ]


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
def _first_filters(name: str) -> str:
    row = entry(name)
    parameters = on_meta(row, row.classes, row.pixels.channels).named_parameters()
    return next(key for key, value in parameters if value.ndim == 4)


def _likely(state: dict[str, Tensor]) -> list[str]:
    """Order the catalogue by how near each network's size is to the file's."""
    held = max(1, sum(value.numel() for value in state.values()))
    return sorted(CATALOGUE, key=lambda name: abs(math.log(CATALOGUE[name].parameters / held)))


def _misfit(path: Path, state: dict[str, Tensor], network: str) -> WeightsError:
    """Say whose the weights are, or which keys stand in the way."""
    other = next((name for name in _likely(state)[:NEAR] if name != network and recognise(state, name)), None)
    if other is not None:
        told = _what_does_not_fit(state, network)
        return WeightsError(f"is for {other}, not for {network}: it {told}", file=path, remedy=f"use --network {other}")
    return WeightsError(f"does not fit {network}: it {_what_does_not_fit(state, network)}", file=path, remedy=REMEDY)


def _what_does_not_fit(state: dict[str, Tensor], network: str) -> str:
    """Name the first keys that are missing, foreign, or of another shape, by whosoever names fit the most of them."""
    row = entry(network)
    wanted = shapes_of(network, row.classes, row.pixels.channels, False)
    named = [(state, []), *(translate(state, row.family, project) for project in PROJECTS)]
    if row.family == "timm":
        named.append((timm_names(state, row), []))
    ours, left = max(named, key=lambda found: len(found[0].keys() & wanted))
    missing = [key for key in wanted if key not in ours]
    foreign = left + [key for key in ours if key not in wanted]
    shapes = [
        f"{key} is {tuple(ours[key].shape)} and should be {tuple(shape)}"
        for key, shape in wanted.items()
        if key in ours and ours[key].shape != shape
    ]
    parts = [("lacks", missing), ("has no place for", foreign), ("has other shapes:", shapes)]
    return "; ".join(f"{what} {', '.join(map(_short, keys[:SHOWN]))}" for what, keys in parts if keys)


def _keys(state: dict[str, Tensor]) -> str:
    return f"{len(state)} tensors: {', '.join(map(_short, list(state)[:SHOWN]))}, ..."


def _short(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else f"{key[:LONGEST_KEY]}..."


def _check(found: Weights, path: Path) -> None:
    """Refuse what fits a network and still cannot be right."""
    network = on_meta(entry(found.network), found.classes, found.in_channels)
    counts = {key for key, value in network.state_dict().items() if not value.is_floating_point()}
    for key, value in found.state.items():
        if key not in counts and not value.is_floating_point():
            raise WeightsError(f"holds weights of {value.dtype}", file=path, value=key, remedy="store them as float32")
        if key not in counts and not torch.isfinite(value.float()).all():
            raise WeightsError("holds a weight that float32 has no number for", file=path, value=key, remedy=AGAIN)
    if found.pixels is not None and found.pixels.channels != found.in_channels:
        raise WeightsError(
            f"reads {found.in_channels} channels, and its preprocessing gives {found.pixels.channels}",
            file=path,
            remedy="write it again with the preprocessing that it was trained with",
        )
