"""A smaller input, where the budget does not hold the one pass at the full size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from linne import __version__
from linne.embed.embedding import stored_shares
from linne.embed.machine import machine
from linne.embed.measure import Pick
from linne.fit.growth import STEP, scaled
from linne.fit.plan import LATE
from linne.records.fingerprint import of_settings
from linne.records.memory import keep, recalled
from linne.records.pixel_spec import PixelSpec
from linne.road.budget import Clock
from linne.road.by_hand import takes
from linne.road.look import Material
from linne.road.outlook import least_seconds
from linne.road.probing import PICKING_SECONDS, backend_of

MEMORY = "input_sizes.json"

SMALLEST = 0.4
"""Of the full side."""

HOPELESS = 0.8
"""Share of the time left: where all but the network takes more than that, the full size is not even measured."""

MOSTLY = 0.5
"""Share of images: of a size that the store holds for so many the network has little to do."""


@dataclass(frozen=True)
class Sized:
    """What was decided.

    Attributes
    ----------
    material : Material
    backend : Pick or None
        How its network runs fastest; None without pretrained weights.
    question : str
        By which the size is remembered; empty where it is not to be.
    """

    material: Material
    backend: Pick | None
    question: str = ""

    def remember(self, store: Path) -> None:
        """Keep the size, once it is known that the plan does not refuse the budget."""
        if self.question:
            keep(store / MEMORY, self.question, _side_of(self.material.choice.pixels))


def of_a_size_in_time(material: Material, clock: Clock, chosen: Mapping[str, Any], store: Path) -> Sized:
    """Give the network the largest input with which the budget holds all that there is to do in any case.

    Where none does it is the one that takes the least, and the plan may still refuse the budget. What was decided once
    for the same photos, network, machine and budget holds: the same command does the same again. That of a moment in
    which the machine was busy is for that moment. An input whose growth in training was `chosen` by hand stays.
    """
    frozen, full = material.backbone, _side_of(material.choice.pixels)
    if frozen is None or clock.budget is None or chosen.keys() & {"first_side", "last_side"}:
        return Sized(material, backend_of(material, store, None, clock.left()))
    digests = [digest.hex() for digest in material.sample.digests]
    asked = [__version__, machine(), material.index.fingerprint, digests, frozen.shelf(""), clock.budget]
    question = "" if clock.slowness > 1 else of_settings(asked)
    known = recalled(store / MEMORY).get(question)
    if known == full or (known is not None and known in _smaller(material)):
        seen = _at(material, known)
        backend = backend_of(seen, store, None, clock.left())
        if least_seconds(seen, backend, store, clock.slowness) <= (clock.left() or 0.0) + LATE * clock.budget:
            return Sized(seen, backend)  # else the store has lost what it held then, or this process began late
    return replace(_in_time(material, clock, store), question=question)


def _in_time(material: Material, clock: Clock, store: Path) -> Sized:
    """The largest input for which the time suffices, or the one for which it comes closest to that."""
    if _is_hopeless(material, clock, store):
        smallest = _at(material, [_side_of(material.choice.pixels), *_smaller(material)][-1])
        return Sized(smallest, backend_of(smallest, store, None, clock.left()))
    backend = backend_of(material, store, None, clock.left())
    needed = least_seconds(material, backend, store, clock.slowness)
    left = clock.left() or 0.0
    if backend is None or needed <= left:
        return Sized(material, backend)
    quickest = material
    for side in _smaller(material):
        seen, share = _at(material, side), (side / _side_of(material.choice.pixels)) ** 2
        faster = replace(backend, rates={way: rate / share for way, rate in backend.rates.items()})
        seconds = PICKING_SECONDS + least_seconds(seen, faster, store, clock.slowness)
        if seconds < needed:
            needed, quickest = seconds, seen
        if seconds <= left:
            break
    return Sized(quickest, backend if quickest is material else backend_of(quickest, store, None, clock.left()))


def _is_hopeless(material: Material, clock: Clock, store: Path) -> bool:
    """Whether little of the full size is stored, and all but the network takes nearly all the time left."""
    _, embedded = stored_shares(material.backbone, material.sample.digests, store)
    left = clock.left() or 0.0
    return embedded < MOSTLY and least_seconds(material, None, store, clock.slowness) > HOPELESS * left


def _side_of(pixels: PixelSpec) -> int:
    return min(pixels.height, pixels.width)


def _smaller(material: Material) -> Iterator[int]:
    """Multiples of `STEP` below the full side that the network takes, the largest first."""
    choice, full = material.choice, _side_of(material.choice.pixels)
    for side in range(STEP * ((full - 1) // STEP), math.ceil(SMALLEST * full) - 1, -STEP):
        if takes(choice.network, choice.pixels, side):
            yield side


def _at(material: Material, side: int) -> Material:
    choice, full = material.choice, material.choice.pixels
    pixels = scaled(full, side)
    if pixels == full:
        return material
    reason = (
        f"{pixels.width} x {pixels.height} pixels, not {full.width} x {full.height}: "
        "the budget does not hold the pass over all images at that size"
    )
    return replace(
        material,
        choice=replace(choice, pixels=pixels, reasons=(*choice.reasons, reason)),
        backbone=material.backbone and replace(material.backbone, pixels=pixels),
    )
