"""The terms of a search: how long its trainings are; settled once, so that its trials can be compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linne.records.errors import LinneError, RunError
from linne.records.fingerprint import of_settings
from linne.records.progress import Progress
from linne.records.recipe import Recipe
from linne.records.sealed import read_sealed, write_sealed
from linne.road.budget import Clock
from linne.road.contender import Contender, Methods, methods_of
from linne.road.planning import Asked

SCHEMA = 1

LAST_RUN = 0.15
"""Share of the budget for the run with the best recipe; each trial trains as long as that run will, at most."""


@dataclass(frozen=True)
class Terms:
    """How long trials are.

    Attributes
    ----------
    methods : dict of str to Methods
        Of each network, the planner's own first.
    last_run : float or None
        Seconds of the last run; None without a budget.
    longest : float or None
        Seconds of a trial.
    training : float
        Seconds that the planner's own training is expected to take.
    """

    methods: dict[str, Methods]
    last_run: float | None
    longest: float | None
    training: float


def settle_terms(
    folder: Path,
    contenders: Mapping[str, tuple[Contender, Asked]],
    group_by: str | None,
    clock: Clock,
    progress: Progress,
) -> Terms:
    """Measure and decide, or take what an earlier search in this folder has decided.

    Raises
    ------
    LinneError
        The budget is too short.
    RunError
        The folder holds another search.
    """
    path, question = folder / "tune.json", _question(contenders, group_by)
    if path.exists():
        remedy = "search in another --folder"
        kept = read_sealed(path, "search", SCHEMA, RunError, remedy)
        if kept["question"] != question:
            raise RunError("holds a search with other photos or settings", file=folder, remedy=remedy)
        progress.say("the search goes on from the trials that are here")
        methods = {
            name: {way: tuple(map(Recipe.from_json, levels)) for way, levels in ways} for name, ways in kept["methods"]
        }
        return Terms(methods, kept["last_run"], kept["longest"], kept["training"])
    terms = _new(contenders, clock)
    ways = [
        [name, [[w, [r.to_json() for r in levels]] for w, levels in m.items()]] for name, m in terms.methods.items()
    ]
    said = {"last_run": terms.last_run, "longest": terms.longest, "training": terms.training}
    write_sealed(path, {"schema": SCHEMA, "question": question, "methods": ways, **said})
    told = "" if terms.last_run is None else f"; {terms.last_run:.0f} s are kept for the run with the best recipe"
    progress.say(f"search: {_listing(terms.methods)}; a training takes about {terms.training:.0f} s{told}")
    return terms


def _new(contenders: Mapping[str, tuple[Contender, Asked]], clock: Clock) -> Terms:
    last_run = None if clock.budget is None else LAST_RUN * clock.budget
    methods: dict[str, Methods] = {}
    trainings, finishes = [], []
    for name, (contender, asked) in contenders.items():
        try:
            ways, training, finish = methods_of(contender, asked, last_run)
        except LinneError as error:
            if last_run is None or "budget" not in error.problem:
                raise
            raise _too_short(clock, name, error) from error
        if ways:
            methods[name] = ways
            trainings.append(training)
            finishes.append(finish)
    if not methods:
        raise _too_short(clock, ", ".join(contenders), None)
    longest = None if last_run is None else max(last_run - min(finishes), 1.0)
    return Terms(methods, last_run, longest, max(trainings))


def _too_short(clock: Clock, name: str, error: LinneError | None) -> LinneError:
    """`_new` gives a run its share of the budget: with as much more, a run is longer."""
    return LinneError(
        "the budget is too short to tune",
        value=f"{name}: {'no time to train' if error is None else error.value}, in the last run's {LAST_RUN:.0%}",
        remedy=f"give --budget {math.ceil(3 * (clock.budget or 0))}s, say, or use `linne fit`",
    )


def _question(contenders: Mapping[str, tuple[Contender, Asked]], group_by: str | None) -> str:
    """What must be the same for trials to be compared."""
    parts: list[Any] = [group_by]
    for name, (contender, asked) in contenders.items():
        plan = contender.plan
        parts.append([name, plan.weights_fingerprint, plan.pixels.fingerprint, plan.flip, plan.seed])
        parts.append([contender.material.index.fingerprint, contender.split.fingerprint, dict(asked.chosen)])
    return of_settings(parts)


def _listing(methods: Mapping[str, Methods]) -> str:
    return "; ".join(f"{name}: {', '.join(ways)}" for name, ways in methods.items())
