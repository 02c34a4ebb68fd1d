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

from harness import Comparison, Table, main
from machine import described
from road import linne

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
        fit = ("fit", given.photos.resolve(), "--weights", given.weights.resolve(), "--budget", budget)
        said, seconds = linne(*fit, "--seed", given.seed, "--cache", "store", folder=folder)
        stack.close()
        history = Path(folder, said["run"], "history.jsonl")
        told = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
        epochs = max((json.loads(line)["epoch"] for line in told), default=0)
        test = linne("evaluate", said["run"], folder=folder)[0]["measures"]["accuracy"]
    return {
        "budget": budget,
        "loaded": given.loaded,
        "seed": given.seed,
        "seconds": round(seconds, 2),
        "method": said["chosen"]["method"],
        "stopped": said["chosen"]["stopped"],
        "epochs": epochs,
        "steps": said["seconds"],
        "validation": said["validation"]["measures"]["accuracy"],
        "test": test,
        "machine": described(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
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
    rows = []
    for line in sorted(lines, key=lambda line: (line["loaded"], seconds_of(line["budget"]))):
        share = f"{line['seconds'] / seconds_of(line['budget']):.1%}"
        validation, test = (
            round(line["validation"]["value"], 4),
            (round(line["test"][k], 4) for k in ("value", "low", "high")),
        )
        machine = f"{BUSY} busy processes" if line["loaded"] else "idle"
        about = (line["budget"], line["seed"], machine, line["seconds"], share)
        rows.append((*about, line["method"], line["epochs"], validation, *test))
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
