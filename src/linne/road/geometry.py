"""How photos are laid into the network's input: by evidence, on photos that will be trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linne import __version__
from linne.choose.geometry import rows_to_decide_by, told_apart, whole_pictures
from linne.choose.network import Choice
from linne.embed.backbone import Backbone, backbone
from linne.embed.embedding import embed, pick
from linne.records.errors import LinneError
from linne.records.fingerprint import of_settings
from linne.records.index import NONE, TRAIN, Index
from linne.records.memory import keep, recalled
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress
from linne.records.truth import task_of
from linne.road.budget import Clock
from linne.road.by_hand import refuse_what_cannot_be, takes
from linne.road.look import Material
from linne.road.probing import PICKING_SECONDS
from linne.split.groups import groups_by_name

MEMORY = "geometry.json"

FEWEST = 5
"""Images a class, in the mean, without which nothing can be told."""

AFFORDABLE = 0.15
"""Share of the time left that a look at what will not be taken may cost."""


def trained_in_any_case(index: Index, seed: int, group_by: str | None) -> NDArray[np.int64]:
    """Rows that the split gives to training, so that decisions may be made on them: by one label an image."""
    if task_of(index) == "multi":
        return np.empty(0, np.int64)
    subset = TRAIN if index.supplied_split else NONE
    candidates = np.flatnonzero(index.subset == subset)
    groups = np.arange(len(index)) if group_by is None else groups_by_name(index, group_by)
    return rows_to_decide_by(candidates, groups[candidates], index.label[candidates], seed)


def lay_out(
    material: Material,
    clock: Clock,
    chosen: Mapping[str, Any],
    store: Path,
    seed: int,
    group_by: str | None,
    progress: Progress,
) -> Material:
    """Show the network whole photos where their centre tells less; what was computed on the way is in the store.

    What was seen once of the same photos and network holds. Where there was no time to look, the centre stays, and a
    later run may find otherwise. What was `chosen` by hand must go with whole photos, too.
    """
    frozen, centre = material.backbone, material.choice.pixels
    whole = None if frozen is None else whole_pictures(centre, material.sample)
    if frozen is None or whole is None or task_of(material.index) == "multi":  # it is told by one label an image
        return material
    if not _goes_with(material.choice, chosen, whole):
        return _with_reason(material, "the network, or what was chosen by hand, does not go with whole photos")
    digests = [digest.hex() for digest in material.sample.digests]
    question = of_settings([__version__, material.index.fingerprint, digests, frozen.shelf(""), seed, group_by])
    seen = _recall(store / MEMORY, question)
    if seen is None:
        rows = trained_in_any_case(material.index, seed, group_by)
        classes = np.unique(material.index.label[rows])
        if len(classes) < 2 or len(rows) < FEWEST * len(classes):
            return material
        seen = _look(material, frozen, whole, rows, clock, store, progress)
        if seen is None:
            return _with_reason(material, "there is no time to see whether more is told by whole photos")
        keep(store / MEMORY, question, seen)
    better = whole if seen["whole"] else centre
    choice = replace(material.choice, pixels=better, reasons=(*material.choice.reasons, seen["reason"]))
    return replace(material, choice=choice, backbone=backbone(frozen.network, better))


def _with_reason(material: Material, why: str) -> Material:
    """Leave the centre, and say why."""
    reason = f"{_words(material.choice.pixels)}: {why}"
    return replace(material, choice=replace(material.choice, reasons=(*material.choice.reasons, reason)))


def _goes_with(choice: Choice, chosen: Mapping[str, Any], whole: PixelSpec) -> bool:
    """Whether a network takes whole photos, and what was chosen goes with them."""
    if not takes(choice.network, whole, min(whole.height, whole.width)):
        return False
    try:
        refuse_what_cannot_be(replace(choice, pixels=whole), chosen)
    except LinneError:
        return False
    return True


def _recall(memory: Path, question: str) -> dict[str, Any] | None:
    known = recalled(memory).get(question)
    sound = isinstance(known, dict) and type(known.get("whole")) is bool and type(known.get("reason")) is str
    return known if sound else None


def _look(
    material: Material,
    frozen: Backbone,
    whole: PixelSpec,
    rows: NDArray[np.int64],
    clock: Clock,
    store: Path,
    progress: Progress,
) -> dict[str, Any] | None:
    """Whether 'whole' is better, and the 'reason'; None where there is no time to see."""
    centre = material.choice.pixels
    few, left = material.index.take(rows), clock.left()
    decoding = clock.slowness * material.sample.seconds
    affordable = math.inf if left is None else AFFORDABLE * left
    if PICKING_SECONDS + len(few) * decoding > affordable:
        return None
    began = clock.elapsed()
    backend = pick(frozen, len(few), store, None, material.sample.inputs(centre))
    if len(few) * (1 / backend.rate + decoding) > affordable:
        return None
    right = {}
    for spec in (centre, whole):
        if spec is whole and clock.elapsed() - began > affordable:
            return None  # slower than was thought; what was computed is in the store
        seen = backbone(frozen.network, spec)
        way = backend if spec is centre else pick(seen, len(few), store, None, material.sample.inputs(spec))
        found = embed(few, seen, store, progress, None, way)
        readable = found.passed.readable
        right[spec] = told_apart(found.features[readable], few.label[readable])
    better, worse = (whole, centre) if right[whole] > right[centre] else (centre, whole)
    reason = (
        f"{_words(better)}: a linear classifier on features then gets {right[better]:.1%} of {len(few)} training "
        f"photos right, and {right[worse]:.1%} with {_words(worse)}"
    )
    return {"whole": better is whole, "reason": reason}


def _words(spec: PixelSpec) -> str:
    what = "whole photos" if spec.fit == "stretch" else "the centre of photos"
    return f"{what}, {spec.width} x {spec.height} pixels"
