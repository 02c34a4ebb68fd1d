"""Accuracy against time of `linne fit` and of what people use instead, from the same weights on the same photos.

Peers are timm's own train.py and fastai's `fine_tune`. Each run is a process of its own, and its seconds count from
the start of the process, with nothing left out and nothing compiled or stored before: cold, as linne's store is empty.
Weights are kept after each epoch and judged when the run is over, in float32, on images as the peer's own validation
sees them, so that judging costs a peer no time. What counts is the epoch that is best on validation within a limit,
read off on test.

A schedule must have a length, so each has runs of the same lengths: a peer as many epochs as fit, by the speed that a
run of two epochs had; linne a fit with that budget, which counts when its process ends. All may be late by 2%. The best
length and recipe, on validation, is the peer's. The seconds to an accuracy on test are those of the first epoch, of any
of its runs, that has it: the test set chooses there, which is kind to peers. Networks that were trained at fewer pixels
than 224 are judged at more than they were trained at, which is kind to them, too.

Recipes are tuned first, with the test set closed, for each the speed and one length: --tune. Every run is a line of
--results, and a run that is there is not made again: the whole takes hours and may be cut and continued.

timm's train.py is not in its package: take it from the tag of the version that is installed, or the nearest one, at
https://github.com/huggingface/pytorch-image-models.

Usage: peers.py PHOTOS WEIGHTS --results FILE [--peer timm fastai linne] [--recipes half+compile ...]
                [--timm-train FILE] [--lengths 60 120 300 600] [--seeds 0 1 2] [--tune]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peer_runs
from harness import Cell, Comparison, Table, main
from machine import described
from peer_runs import Asked
from peer_scores import over_images, over_seeds, right

LENGTHS = (60, 120, 300, 600)
TUNED_AT = 300
SPEED = 0
"""Planned seconds of the run of two epochs."""

GRACE = 1.02

MARGIN = 0.97
WANTED = 0.89
RECIPES = {
    "timm": ("half+head+160+no-warm-up+whole",),
    "fastai": ("half+160+high",),
    "linne": ("fit",),
}
CANDIDATES = {
    "timm": (
        *("half+head", "half+compile+head", "half+head+160", "half+compile+head+160", "half+compile+160"),
        *("half+head+160+low", "half+head+160+ema", "half+head+160+decay", "half+head+160+frozen"),
        *("half+head+160+norms", "half+head+160+mixup", "half+sgd+160", "half+head+160+no-warm-up+whole"),
    ),
    "fastai": (
        "plain",
        "half",
        "160",
        "half+160",
        "half+160+low",
        "half+160+high",
        "half+160+batch-views",
        "compile+160",
    ),
    "linne": ("fit",),
}

Line = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """One run: planned seconds, or `SPEED`."""

    peer: str
    recipe: str
    planned: int
    seed: int


def plans(given: argparse.Namespace) -> list[Plan]:
    listed = []
    for peer in given.peer:
        lengths = [TUNED_AT] if given.tune else given.lengths
        if peer != "linne":
            lengths = [SPEED, *lengths]
        recipes = ("fit",) if peer == "linne" else given.recipes or (CANDIDATES if given.tune else RECIPES)[peer]
        for recipe in recipes:
            if peer != "linne":
                peer_runs.flags(peer, recipe)  # unknown parts are told before hours have passed
            listed += [Plan(peer, recipe, length, seed) for length in lengths for seed in given.seeds]
    speed_once = [plan for plan in listed if plan.planned != SPEED or plan.seed == given.seeds[0]]
    return sorted(speed_once, key=lambda plan: plan.planned)


def made(plan: Plan, lines: list[Line], asked: Asked, unsealed: bool) -> Line | None:
    """Run, and judge what was kept; None where not one epoch fits."""
    epochs = 2 if plan.planned == SPEED else affordable(plan, lines)
    if epochs < 1:
        print(f"{plan.peer} {plan.recipe}: no epoch fits into {plan.planned} s", file=sys.stderr, flush=True)
        return None
    about = {"peer": plan.peer, "recipe": plan.recipe, "planned": plan.planned, "seed": plan.seed, "epochs": epochs}
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as name:
        folder = Path(name)
        if plan.peer == "linne":
            kept = peer_runs.fitted(plan.planned, plan.seed, asked, folder, unsealed)
        else:
            files = peer_runs.ran(plan.peer, plan.recipe, epochs, plan.seed, asked, folder)
            held = right(plan.peer, plan.recipe, asked, "validation", files)
            test = right(plan.peer, plan.recipe, asked, "test", files) if unsealed else [None] * len(files)
            kept = [
                {"seconds": file.seconds, "validation": accuracy(score), "test": opened}
                for file, score, opened in zip(files, held, test, strict=True)
            ]
    return {**about, "kept": kept, "machine": described()}


def affordable(plan: Plan, lines: list[Line]) -> int:
    if plan.peer == "linne":
        return 1
    same = [x for x in lines if (x["peer"], x["recipe"], x["planned"]) == (plan.peer, plan.recipe, SPEED)]
    if not same:
        return 0
    *_, before, last = (each["seconds"] for each in same[0]["kept"])
    epoch = last - before
    return int((MARGIN * plan.planned - (last - same[0]["epochs"] * epoch)) / epoch)


def accuracy(score: str) -> float:
    return score.count("1") / len(score)


def best(line: Line, seconds: float) -> Line | None:
    """Of the epochs within some seconds the first that is best on validation."""
    within = [each for each in line["kept"] if each["seconds"] <= seconds]
    return max(within, key=lambda each: each["validation"]) if within else None


def chosen(lines: list[Line], peer: str, seconds: int) -> tuple[str, list[Line]] | None:
    """Recipe and length that are best on validation, mean over seeds, and their best epochs."""
    ways: dict[tuple[str, int], list[Line]] = {}
    for line in lines:
        if line["peer"] == peer and (found := best(line, GRACE * seconds)):
            ways.setdefault((line["recipe"], line["planned"]), []).append(found)
    most = max((len(found) for found in ways.values()), default=0)
    whole = {way: found for way, found in ways.items() if len(found) == most}  # one lucky seed is no recipe
    if not whole:
        return None
    recipe, planned = max(whole, key=lambda way: statistics.fmean(each["validation"] for each in whole[way]))
    return f"{recipe}, for {planned} s" if planned else f"{recipe}, 2 epochs", whole[recipe, planned]


def summary(lines: list[Line], given: argparse.Namespace) -> Iterator[Table]:
    rows: list[tuple[Cell, ...]] = []
    for limit in given.lengths:
        for peer in given.peer:
            if found := chosen(lines, peer, limit):
                way, epochs = found
                held = statistics.fmean(each["validation"] for each in epochs)
                tests = [each["test"] for each in epochs]
                low, high = over_images(tests)
                seeds_low, seeds_high = over_seeds(tests)
                cells = (round(held, 4), round(statistics.fmean(map(accuracy, tests)), 4), f"[{low:.3f}, {high:.3f}]")
                rows.append((f"{limit} s", peer, way, len(epochs), *cells, f"[{seeds_low:.3f}, {seeds_high:.3f}]"))
    columns = ("within", "peer", "recipe", "seeds", "validation", "test", "95% over images", "95% over seeds")
    yield Table("Best on validation within a time, read off on test", columns, tuple(rows))
    yield Table(
        f"Seconds to {WANTED} on test", ("peer", *(f"seed {seed}" for seed in given.seeds)), times(lines, given)
    )


def times(lines: list[Line], given: argparse.Namespace) -> tuple[tuple[Cell, ...], ...]:
    def first(peer: str, seed: int) -> Cell:
        runs = [line["kept"] for line in lines if (line["peer"], line["seed"]) == (peer, seed)]
        reached = [each["seconds"] for kept in runs for each in kept if accuracy(each["test"]) >= WANTED]
        return min(reached, default="never")

    return tuple((peer, *(first(peer, seed) for seed in given.seeds)) for peer in given.peer)


def tuned(lines: list[Line], given: argparse.Namespace) -> Iterator[Table]:
    rows = []
    for line in lines:
        if line["peer"] in given.peer and (found := best(line, GRACE * TUNED_AT)):
            about = (line["peer"], line["recipe"], line["epochs"], line["seed"])
            rows.append((*about, found["seconds"], round(found["validation"], 4)))
    rows.sort(key=lambda row: (row[0], -row[-1]))
    columns = ("peer", "recipe", "epochs", "seed", "at s", "validation")
    yield Table(f"Best validation accuracy within {TUNED_AT} s", columns, tuple(rows))


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    train = given.timm_train.resolve() if given.timm_train else None
    asked = Asked(given.photos.resolve(), given.weights.resolve(), train)
    if "timm" in given.peer and train is None:
        raise SystemExit("--timm-train: the path of timm's train.py is needed, or leave timm out with --peer")
    unsealed = not given.tune
    given.results.touch()
    lines = [json.loads(line) for line in given.results.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if given.tune or all(each["test"] is not None for each in line["kept"])]
    failures = []
    for plan in plans(given):
        if any(plan == Plan(line["peer"], line["recipe"], line["planned"], line["seed"]) for line in lines):
            continue
        try:
            line = made(plan, lines, asked, unsealed)
        except peer_runs.PeerError as failed:  # the others go on: this one would stop them for hours
            print(failed, file=sys.stderr, flush=True)
            failures.append(plan)
            continue
        if line is not None:
            lines.append(line)
            with given.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    yield from (summary if unsealed else tuned)(lines, given)
    if failures:
        raise SystemExit(f"failed: {failures}")


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("weights", {"type": Path}),
            ("--results", {"type": Path, "required": True}),
            ("--peer", {"nargs": "+", "choices": tuple(RECIPES), "default": list(RECIPES)}),
            ("--recipes", {"nargs": "+", "metavar": "PART+PART", "help": "of one peer; see peer_runs.py for parts"}),
            ("--timm-train", {"type": Path, "help": "timm's train.py"}),
            ("--lengths", {"type": int, "nargs": "+", "default": list(LENGTHS), "help": "seconds"}),
            ("--seeds", {"type": int, "nargs": "+", "default": [0, 1, 2]}),
            ("--tune", {"action": "store_true", "help": "the test set stays closed"}),
        ],
    )
