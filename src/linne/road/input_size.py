"""A smaller input, where the budget does not hold the one pass at the full size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from linne import __version__
from linne.embed.machine import machine
from linne.embed.measure import Pick
from linne.fit.growth import STEP, scaled
from linne.records.fingerprint import of_settings
from linne.records.memory import keep, recalled
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


def of_a_size_in_time(
    material: Material, clock: Clock, chosen: Mapping[str, Any], store: Path
) -> tuple[Material, Pick | None]:
    """Give the network the largest input with which the budget holds all that there is to do in any case.

    Where none does it is the smallest, and the plan may still refuse the budget. What was decided once for the same
    photos, network, machine and budget holds: the same command does the same again. An input whose growth in training
    was `chosen` by hand stays.

    Returns
    -------
    material : Material
    backend : Pick or None
        How its network runs fastest; None without pretrained weights.
    """
    frozen, left = material.backbone, clock.left()
    if frozen is None or left is None or chosen.keys() & {"first_side", "last_side"}:
        return material, backend_of(material, store, None)
    digests = [digest.hex() for digest in material.sample.digests]
    asked = [__version__, machine(), material.index.fingerprint, digests, frozen.shelf(""), clock.budget]
    question = of_settings(asked)
    full, *smaller = _sides(material)
    known = recalled(store / MEMORY).get(question)
    if known in (full, *smaller):
        seen = _at(material, known)
        return seen, backend_of(seen, store, None)
    smaller = [side for side in smaller if takes(material.choice.network, material.choice.pixels, side)]
    if smaller and least_seconds(material, None, store, clock.slowness) > HOPELESS * left:
        seen = _at(material, smaller[-1])
        return seen, backend_of(seen, store, None)
    backend = backend_of(material, store, None)
    if backend is None or not smaller:
        return material, backend
    if least_seconds(material, backend, store, clock.slowness) <= left:
        keep(store / MEMORY, question, full)
        return material, backend
    for side in smaller:
        seen, share = _at(material, side), (side / full) ** 2
        faster = replace(backend, rates={way: rate / share for way, rate in backend.rates.items()})
        if PICKING_SECONDS + least_seconds(seen, faster, store, clock.slowness) <= left:
            keep(store / MEMORY, question, side)
            break
    return seen, backend_of(seen, store, None)


def _sides(material: Material) -> list[int]:
    """The full one, and below it multiples of `STEP`."""
    full = min(material.choice.pixels.height, material.choice.pixels.width)
    smallest = math.ceil(SMALLEST * full)
    return [full, *range(STEP * ((full - 1) // STEP), smallest - 1, -STEP)]


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
