"""Which recipes a search tries: around the planner's own, by what is known to matter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from linne.records.recipe import AUGMENTS, UNREAD, Recipe
from linne.records.trials import Value

SGD_RATE = 20.0
"""Its learning rate is so many times AdamW's; Muon's is the same."""

SGD_DECAY = 0.01
"""So much of AdamW's weight decay, as is usual (0.0005 and 0.05)."""


@dataclass(frozen=True, slots=True)
class Number:
    """A setting between two ends; `planned` is the planner's."""

    name: str
    low: float
    high: float
    planned: float


@dataclass(frozen=True, slots=True)
class Pick:
    """A setting that is one of some."""

    name: str
    options: tuple[Value, ...]
    planned: Value


Axis = Number | Pick


def axes(levels: tuple[Recipe, ...], has_drop_path: bool, fixed: Collection[str]) -> tuple[Axis, ...]:
    """Give the space around a plan's levels.

    Parameters
    ----------
    levels : tuple of Recipe
        As planned; settings that are not searched stay as they are.
    has_drop_path : bool
        Whether the network has branches that can be left out.
    fixed : collection of str
        Settings that were decided by hand.

    Returns
    -------
    tuple of Number or Pick
        Same names have the same ends and options whatever the network and the method, as Optuna's samplers want it:
        rates and decays are powers of ten of what is planned.
    """
    last = levels[-1]
    free: list[tuple[str, Axis]] = [
        ("learning_rate", Number("learning_rate", -1.0, 1.0, 0.0)),
        ("optimiser", Pick("optimiser", ("adamw", "muon", "sgd"), last.optimiser)),
        ("weight_decay", Number("weight_decay", -1.5, 0.8, 0.0)),
        ("batch_size", Pick("batch_size", (32, 64, 128), last.batch_size)),
        ("average", Pick("average", (0.0, 0.1, 0.2), last.average)),
    ]
    if last.balance != "logits":  # it is for labels that are not smoothed
        free.append(("label_smoothing", Number("label_smoothing", 0.0, 0.2, last.label_smoothing)))
    if last.method != "scratch":
        free.append(("layer_decay", Number("layer_decay", 0.5, 1.0, last.layer_decay)))
    if has_drop_path:
        free.append(("drop_path", Number("drop_path", 0.0, 0.3, last.drop_path or 0.0)))
    if last.method != "stages":
        free.append(("augment", Pick("augment", AUGMENTS, last.augment)))
        free.append(("mix", Pick("mix", ("off", "on"), "on" if last.mix else "off")))
        if _grows(last) and "last_side" not in fixed:
            free.append(("first_side", Pick("first_side", ("planned", "whole"), "planned")))
    return tuple(axis for setting, axis in free if setting not in fixed)


def _grows(level: Recipe) -> bool:
    """Whether its inputs are smaller than those of validation; only some networks take these."""
    return (level.first_side, level.last_side) != (None, None)


def planned(space: tuple[Axis, ...]) -> dict[str, Value]:
    """Where the planner's own recipe lies; the nearest place, if it is outside."""
    where: dict[str, Value] = {}
    for axis in space:
        if isinstance(axis, Number):
            where[axis.name] = min(max(axis.planned, axis.low), axis.high)
        else:
            where[axis.name] = axis.planned if axis.planned in axis.options else axis.options[0]
    return where


def at(levels: tuple[Recipe, ...], values: Mapping[str, Value]) -> tuple[Recipe, ...]:
    """Give the levels of a place in the space; each takes what its method knows of."""
    return tuple(_recipe(level, values) for level in levels)


def _recipe(level: Recipe, values: Mapping[str, Value]) -> Recipe:
    chosen: dict[str, Any] = {
        name: value
        for name, value in values.items()
        if name in ("optimiser", "label_smoothing", "average", "layer_decay", "drop_path", "augment")
    }
    turned_to_sgd = values.get("optimiser") == "sgd" and level.optimiser != "sgd"
    if "learning_rate" in values:
        rate = level.learning_rate * (SGD_RATE if turned_to_sgd else 1.0)
        chosen["learning_rate"] = _rounded(rate * 10 ** float(values["learning_rate"]))
    if "weight_decay" in values:
        decay = level.weight_decay * (SGD_DECAY if turned_to_sgd else 1.0)
        chosen["weight_decay"] = _rounded(decay * 10 ** float(values["weight_decay"]))
    if "batch_size" in values:
        chosen["batch_size"] = int(values["batch_size"])
    if "mix" in values:
        chosen["mix"] = values["mix"] == "on"
    if values.get("first_side") == "whole":
        chosen |= {"first_side": None, "last_side": None}
    for name in ("label_smoothing", "layer_decay", "drop_path"):
        if name in chosen:
            chosen[name] = round(float(chosen[name]), 3)
    return replace(level, **{name: value for name, value in chosen.items() if name not in UNREAD[level.method]})


def _rounded(value: float) -> float:
    """Three digits, as a person would write it."""
    return float(f"{value:.3g}")
