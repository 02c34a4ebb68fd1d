"""Measurements to a plan, remembered so that the same command does the same again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from linne import __version__
from linne.embed.machine import machine
from linne.embed.measure import Pick
from linne.fit.levels import Level, Training, settle
from linne.fit.plan import plan_training, refuse_if_too_short
from linne.fit.strength import varied
from linne.records import fingerprint
from linne.records.errors import LinneError
from linne.records.index import TRAIN, VALIDATION
from linne.records.memory import keep, recalled
from linne.records.plan import Plan
from linne.records.recipe import TEACHERS, UNREAD, Recipe
from linne.records.split import Split
from linne.records.truth import task_of
from linne.road.budget import Clock
from linne.road.input_size import of_a_size_in_time
from linne.road.look import Material
from linne.road.outlook import Asked, mirrored, outlook_of, with_rates
from linne.road.probing import backend_of
from linne.runtime.torchrun import started_by_torchrun

MEMORY = "plans.json"


@dataclass(frozen=True)
class Planned:
    """What was decided before the one pass.

    Attributes
    ----------
    material : Material
    plan : Plan
    training : Training or None
        Its length is still to be settled; None where the plan was given.
    backend : Pick or None
        How the pass runs the network.
    stage : int or None
        Whose inputs the pass stores.
    whole_rate : float or None
        Training images a second of the whole network, where it was measured.
    """

    material: Material
    plan: Plan
    training: Training | None
    backend: Pick | None
    stage: int | None
    whole_rate: float | None


def plan_run(material: Material, clock: Clock, asked: Asked, cache: Path) -> Planned:
    """Decide everything about a fit: the plan, the training in it, and the backend of the pass.

    Raises
    ------
    LinneError
        The budget is too short.
    """
    sized = of_a_size_in_time(material, clock, asked.chosen, cache)
    material, backend = sized.material, sized.backend
    outlook = outlook_of(material, clock, asked, backend, cache)
    refuse_if_too_short(outlook)
    training = _recall(material, clock, asked, cache)
    if training is None:
        training = plan_training(with_rates(outlook, material, clock, asked, backend, cache), asked.chosen)
        remember(material, clock, asked, training, cache)
    sized.remember(cache)
    if training.stage is not None:
        backend = backend_of(material, cache, training.stage)
    wholes = [level.images_per_second for level in training.levels if level.recipe.method != "stages"]
    plan = _plan(material, clock, training, asked)
    return Planned(material, plan, training, backend, training.stage, wholes[0] if wholes else None)


def settle_plan(
    material: Material,
    clock: Clock,
    asked: Asked,
    planned: Planned,
    split: Split,
    reserve: float,
    cache: Path,
) -> tuple[Plan, tuple[str, ...]]:
    """Fit the length of training to the time that is left; gives the plan and what is new in its reasons.

    How images vary follows from that length. The first run's decision is remembered: a later one that is slower for a
    moment is shortened for itself alone, and a length of zero that was not planned, which a hiccup may have caused, is
    not kept either.
    """
    left, plan, training = clock.left(), planned.plan, planned.training
    if training is None:
        return plan, ()
    rows, settled = split.rows(TRAIN), training
    if left is not None:
        sizes = len(rows), len(split.rows(VALIDATION))
        settled = settle(training, max(left - reserve, 0.0), sizes, asked.chosen)
        if settled is not training and not training.settled and (settled.levels or not training.levels):
            remember(material, clock, asked, settled, cache)
    a_class = float(np.median(material.index.counts(rows)))
    levels, new = [], [*settled.reasons[len(training.reasons) :]]
    for level in settled.levels:
        recipe, why = varied(level.recipe, a_class, plan.flip, asked.chosen)
        levels.append(recipe)
        new += why
    new += _last_reasons(material, asked, levels)
    return replace(plan, levels=tuple(levels), reasons=(*plan.reasons, *new)), tuple(new)


def remember(material: Material, clock: Clock, asked: Asked, training: Training, cache: Path) -> None:
    """Keep the decisions for this question; those of a moment in which the machine was busy are for that moment."""
    if clock.slowness == 1:
        keep(cache / MEMORY, _question(material, clock, asked), asdict(training))


def _plan(material: Material, clock: Clock, training: Training, asked: Asked) -> Plan:
    choice = material.choice
    reasons = [*choice.reasons]
    if task_of(material.index) == "multi":
        reasons.append(
            "images have several labels or none: each class is decided for itself, by binary cross entropy, and the "
            "highest mean average precision on validation images is best"
        )
    if choice.pretrained:
        reasons.append("first a probe: logistic regression on the frozen network's features")
    reasons += training.reasons
    return Plan(
        network=choice.name,
        weights=asked.weights,
        weights_fingerprint=material.backbone.weights if material.backbone else "",
        pixels=choice.pixels,
        levels=tuple(level.recipe for level in training.levels),
        flip=mirrored(material, asked)[0],
        seed=asked.seed,
        budget=clock.budget,
        reasons=tuple(reasons),
    )


def _last_reasons(material: Material, asked: Asked, levels: Sequence[Recipe]) -> list[str]:
    """What there is to say of levels that are settled."""
    reasons = []
    if any(level.views > 1 or (level.method != "stages" and level.augment != "none") for level in levels):
        reasons.append(mirrored(material, asked)[1])
    if unused := _unused(material, asked, levels):
        reasons.append(f"of no use for what is trained: {', '.join(unused)}, chosen by hand")
    if material.choice.pretrained and levels:
        reasons.append("whichever does best on validation images is kept, the probe too")
    return reasons


def _unused(material: Material, asked: Asked, levels: Sequence[Recipe]) -> list[str]:
    """Settings that were chosen by hand, and that no level reads."""
    chosen = asked.chosen.keys() - {"method"}
    if task_of(material.index) == "multi":
        chosen -= {"label_smoothing"}  # it is linne that chose it
    asks_nobody = () if asked.teaching is not None else TEACHERS
    return sorted(
        name for name in chosen if name in asks_nobody or all(name in UNREAD[level.method] for level in levels)
    )


def _question(material: Material, clock: Clock, asked: Asked) -> str:
    weights = material.backbone.weights if material.backbone else ""
    pixels = material.choice.pixels.fingerprint
    return fingerprint.of_settings(
        [
            __version__,
            material.index.fingerprint,
            [digest.hex() for digest in material.sample.digests],  # other photos may have the same names
            material.choice.name,
            weights,
            pixels,
            clock.budget,
            machine(),
            dict(asked.chosen),
            asked.flip,
            asked.teaching and asked.teaching.fingerprint,
            started_by_torchrun(),  # several processes make no views
        ]
    )


def _recall(material: Material, clock: Clock, asked: Asked, cache: Path) -> Training | None:
    if clock.slowness > 1:
        return None
    value = recalled(cache / MEMORY).get(_question(material, clock, asked))
    try:
        return None if value is None else _training(value)
    except (TypeError, ValueError, KeyError, AttributeError, LinneError):
        return None  # damaged: decide afresh


def _training(value: dict[str, Any]) -> Training:
    def level(kept: dict[str, Any]) -> Level:
        recipe, rate = Recipe.from_json(kept["recipe"]), float(kept["images_per_second"])
        if not 0 < rate < math.inf:
            raise ValueError("is no speed")
        cost = float(kept["cost"])
        if not 0 < cost < math.inf:
            raise ValueError("is no share")
        return Level(recipe, rate, float(kept["views_per_second"]), int(kept["most_views"]), cost)

    spare = None if value["spare"] is None else level(value["spare"])
    return Training(tuple(map(level, value["levels"])), spare, tuple(value["reasons"]), bool(value["settled"]))
