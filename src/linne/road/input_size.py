"""A smaller input, where the budget does not hold the one pass at the full size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from linne.embed.measure import Pick
from linne.fit.growth import STEP, scaled
from linne.records.fingerprint import of_settings
from linne.records.memory import keep, recalled
from linne.road.budget import Clock
from linne.road.by_hand import takes
from linne.road.look import Material
from linne.road.outlook import least_seconds

MEMORY = "input_sizes.json"

SMALLEST = 0.4
"""Of the full side."""

MEASURING_SECONDS = 1.5
"""To find out again how the network runs fastest."""


def of_a_size_in_time(material: Material, backend: Pick | None, clock: Clock, store: Path) -> Material:
    """Give the network the largest input with which the budget holds all that there is to do in any case.

    Where none does it is the smallest, and the plan may still refuse the budget. What was decided once for the same
    photos, network and budget holds: the same command does the same again.
    """
    frozen, left = material.backbone, clock.left()
    if frozen is None or backend is None or left is None:
        return material
    digests = [digest.hex() for digest in material.sample.digests]
    question = of_settings([material.index.fingerprint, digests, frozen.shelf(""), clock.budget])
    known = recalled(store / MEMORY).get(question)
    if known is None:
        known = _largest(material, backend, left, store)
        keep(store / MEMORY, question, known)
    return material if known == _side(material) else _at(material, int(known))


def _largest(material: Material, backend: Pick, left: float, store: Path) -> int:
    """The shorter side of the largest input in time, or of the smallest where none is."""
    best = full = _side(material)
    if least_seconds(material, backend, store) <= left:
        return full
    for side in range(STEP * ((full - 1) // STEP), int(SMALLEST * full), -STEP):
        if not takes(material.choice.network, material.choice.pixels, side):
            break
        best, smaller = side, _at(material, side)
        share = (side / full) ** 2
        faster = replace(backend, rates={way: rate / share for way, rate in backend.rates.items()})
        if MEASURING_SECONDS + least_seconds(smaller, faster, store) <= left:
            break
    return best


def _side(material: Material) -> int:
    return min(material.choice.pixels.height, material.choice.pixels.width)


def _at(material: Material, side: int) -> Material:
    choice, full = material.choice, material.choice.pixels
    pixels = scaled(full, side)
    reason = (
        f"{pixels.width} x {pixels.height} pixels, not {full.width} x {full.height}: "
        "the budget does not hold the pass over all images at that size"
    )
    return replace(
        material,
        choice=replace(choice, pixels=pixels, reasons=(*choice.reasons, reason)),
        backbone=material.backbone and replace(material.backbone, pixels=pixels),
    )
