"""Is a budget kept? Fits with an empty store each: seconds from the start of the process to its exit, and accuracy.

With --loaded two processes that do nothing but loop run beside each fit. Every fit is a line of --results; one that is
there is not made again, so that the whole may be cut and continued.

Usage: budgets.py PHOTOS WEIGHTS [--budgets 15s 60s 5m 20m] [--loaded] [--seed 0] [--results FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from harness import Cell, Comparison, Table, main
from machine import described
from peer_runs import linne

UNITS = {"s": 1, "m": 60, "h": 3600}
BUSY = 2
COLUMNS = (
    "budget",
    "seed",
    "machine",
    "s in all",
    "of the budget",
    "kept",
    "epochs",
    "validation",
    "test",
    "low",
    "high",
)


def fitted(budget: str, given: argparse.Namespace) -> dict[str, Any]:
    """One fit and the opening of its test set, which is not in its seconds."""
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder, ExitStack() as stack:
        for _ in range(BUSY * given.loaded):
            busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(busy.kill)
        start = time.perf_counter()
        fit = ("fit", given.photos.resolve(), "--weights", given.weights.resolve(), "--budget", budget)
        said = linne(*fit, "--seed", given.seed, "--cache", "store", folder=Path(folder))
        seconds = round(time.perf_counter() - start, 2)
        stack.close()
        line = {
            "budget": budget,
            "loaded": given.loaded,
            "seed": given.seed,
            "seconds": seconds,
            "machine": described(),
        }
        if "error" in said:
            return {**line, "refused": said["error"]}
        history = Path(folder, said["run"], "history.jsonl")
        told = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
        opened = linne("evaluate", said["run"], folder=Path(folder))
        return {
            **line,
            "method": said["chosen"]["method"],
            "stopped": said["chosen"]["stopped"],
            "epochs": max((json.loads(epoch)["epoch"] for epoch in told), default=0),
            "steps": said["seconds"],
            "validation": said["validation"]["measures"]["accuracy"],
            "test": opened["measures"]["accuracy"],
        }


def seconds_of(budget: str) -> float:
    return float(budget[:-1]) * UNITS[budget[-1]]


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    lines: list[dict[str, Any]] = []
    if given.results and given.results.exists():
        lines = [json.loads(line) for line in given.results.read_text(encoding="utf-8").splitlines()]
    for budget in given.budgets:
        if any((line["budget"], line["loaded"], line["seed"]) == (budget, given.loaded, given.seed) for line in lines):
            continue
        lines.append(fitted(budget, given))
        if given.results:
            with given.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[-1]) + "\n")
    rows: list[tuple[Cell, ...]] = []
    for line in sorted(lines, key=lambda line: (line["loaded"], seconds_of(line["budget"]))):
        share = f"{line['seconds'] / seconds_of(line['budget']):.1%}"
        machine = f"{BUSY} busy processes" if line["loaded"] else "idle"
        about = (line["budget"], line["seed"], machine, line["seconds"], share)
        if "refused" in line:
            rows.append((*about, f"refused: {line['refused']['value']}", "", "", "", "", ""))
        else:
            scores = (line["validation"]["value"], *(line["test"][key] for key in ("value", "low", "high")))
            rows.append((*about, line["method"], line["epochs"], *(round(score, 4) for score in scores)))
    yield Table("Fits within a budget, from an empty store", COLUMNS, tuple(rows))


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("weights", {"type": Path}),
            ("--budgets", {"nargs": "+", "default": ["15s", "60s", "5m", "20m"]}),
            ("--loaded", {"action": "store_true"}),
            ("--seed", {"type": int, "default": 0}),
            ("--results", {"type": Path}),
        ],
    )
