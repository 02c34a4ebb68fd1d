"""The terms of a search: how long its trainings are; settled once, so that its trials can be compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from linne import __version__
from linne.embed.backbone import backbone
from linne.embed.machine import machine
from linne.records.errors import BudgetError, LinneError, RunError
from linne.records.fingerprint import of_arrays, of_settings
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress
from linne.records.recipe import Recipe
from linne.records.sealed import read_sealed, write_sealed
from linne.road.budget import Clock
from linne.road.by_hand import refuse_what_cannot_be
from linne.road.contender import Contender, Methods, Ways, ways_of
from linne.road.geometry import lay_out
from linne.road.look import Material
from linne.road.outlook import Asked
from linne.runtime.contention import slowness

SCHEMA = 2
REMEDY = "search in another --folder"

LAST_RUN = 0.15
"""Share of the budget for the run with the best recipe; each trial trains as long as that run will, at most."""


Materials = dict[str, tuple[Material, Asked]]
"""Of each network by name, and what was said of its training."""


@dataclass(frozen=True)
class Terms:
    """How long trials are.

    Attributes
    ----------
    methods : dict of str to Methods
        Of each network, the planner's own first.
    pixels : dict of str to PixelSpec
        Of each network's input.
    last_run : float or None
        Seconds of the last run; None without a budget.
    longest : float or None
        Seconds of a trial.
    training : float
        Seconds that the planner's own training is expected to take.
    question : str
        Digest of what was searched for; empty while they are new.
    """

    methods: dict[str, Methods]
    pixels: dict[str, PixelSpec]
    last_run: float | None
    longest: float | None
    training: float
    question: str = ""


def settled(
    folder: Path, materials: Materials, clock: Clock, group_by: str | None, store: Path, progress: Progress
) -> tuple[Materials, Terms]:
    """The networks as they see photos in this search, and its terms: those that it has, or new ones."""
    terms = known_terms(folder)
    if terms is not None:
        return {
            name: (_at(material, terms.pixels.get(name)), own) for name, (material, own) in materials.items()
        }, terms
    for material, own in materials.values():
        refuse_what_cannot_be(material.choice, own.chosen)
    if clock.budget is not None:
        clock = replace(clock, slowness=slowness())
    materials = {
        name: (lay_out(material, clock, own.chosen, store, own.seed, group_by, progress), own)
        for name, (material, own) in materials.items()
    }
    return materials, new_terms(materials, clock, store)


def _at(material: Material, pixels: PixelSpec | None) -> Material:
    """Let the network see photos as was settled."""
    if pixels is None or material.backbone is None:
        return material
    choice = replace(material.choice, pixels=pixels)
    return replace(material, choice=choice, backbone=backbone(choice.network, pixels))


def known_terms(folder: Path) -> Terms | None:
    """What an earlier search in this folder has settled; `RunError` where that is damaged."""
    path = folder / "tune.json"
    if not path.exists():
        return None
    kept = read_sealed(path, "search", SCHEMA, RunError, REMEDY)
    methods = {
        name: {way: tuple(map(Recipe.from_json, levels)) for way, levels in ways} for name, ways in kept["methods"]
    }
    pixels = {name: PixelSpec.from_json(spec) for name, spec in kept["pixels"].items()}
    return Terms(methods, pixels, kept["last_run"], kept["longest"], kept["training"], kept["question"])


def new_terms(materials: Materials, clock: Clock, store: Path) -> Terms:
    """Measure and decide; `LinneError` where the budget is too short."""
    budget = clock.budget
    last_run = None if budget is None else LAST_RUN * budget
    found: dict[str, Ways] = {}
    for name, (material, asked) in materials.items():
        try:
            ways = ways_of(material, asked, last_run, clock.slowness, store)
        except BudgetError as error:
            raise _too_short(budget or 0.0, f"{name}: {error.value}, in the {LAST_RUN:.0%} of the last run") from error
        if ways.methods:
            found[name] = ways
    if not found:
        raise _too_short(budget or 0.0, f"no time to train {', '.join(materials)} in the {LAST_RUN:.0%} of a last run")
    left, passes = clock.left(), sum(ways.embedding for ways in found.values())
    if last_run is not None and left is not None and passes + last_run > left:
        told = f"{left:.0f} s left, {passes:.0f} s for passes over all images, {last_run:.0f} s for the last run"
        raise _too_short(budget or 0.0, told)
    longest = None if last_run is None else max(last_run - min(ways.finish for ways in found.values()), 1.0)
    pixels = {name: material.choice.pixels for name, (material, _) in materials.items()}
    methods = {name: ways.methods for name, ways in found.items()}
    return Terms(methods, pixels, last_run, longest, max(ways.training for ways in found.values()))


def agree(terms: Terms, folder: Path, contenders: Mapping[str, Contender], asked: list[Any]) -> None:
    """Write new terms; see that those of an earlier search were of the same photos and settings, or `RunError`."""
    question = _question(contenders, asked)
    if terms.question:
        if terms.question != question:
            raise RunError("holds a search with other photos or settings", file=folder, remedy=REMEDY)
        return
    ways = [
        [name, [[way, [level.to_json() for level in levels]] for way, levels in each.items()]]
        for name, each in terms.methods.items()
    ]
    pixels = {name: spec.to_json() for name, spec in terms.pixels.items()}
    said = {"pixels": pixels, "last_run": terms.last_run, "longest": terms.longest, "training": terms.training}
    write_sealed(folder / "tune.json", {"schema": SCHEMA, "question": question, "methods": ways, **said})


def in_words(terms: Terms) -> str:
    """One line on what is searched."""
    ways = "; ".join(f"{name} {', '.join(ways)}" for name, ways in terms.methods.items())
    told = "" if terms.last_run is None else f"; {terms.last_run:.0f} s are kept for the run with the best recipe"
    return f"search: {ways}; the planner's own training takes about {terms.training:.0f} s{told}"


def _too_short(budget: float, why: str) -> LinneError:
    return LinneError(
        "the budget is too short to tune",
        value=why,
        remedy=f"give --budget {math.ceil(3 * budget)}s, say, or use `linne fit`",
    )


def _question(contenders: Mapping[str, Contender], asked: list[Any]) -> str:
    """What must be the same for trials to be compared."""
    parts = [__version__, machine(), *asked]
    for name, contender in contenders.items():
        plan = contender.plan
        parts.append([name, plan.weights_fingerprint, plan.pixels.fingerprint, plan.flip, plan.seed])
        digest = of_arrays(contender.embedding.passed.digest)  # other photos may have the same names
        parts.append([contender.material.index.fingerprint, digest, contender.split.fingerprint])
    return of_settings(parts)
