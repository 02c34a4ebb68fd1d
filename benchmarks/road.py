"""The whole road as a user walks it: a fit within a budget with an empty store, its test score, the same fit again.

Usage: road.py PHOTOS WEIGHTS [--budget 60s]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import Cell, Comparison, Table, main

TO_THE_PROBE = ("start", "plan", "embed", "audit", "split", "probe")
COLUMNS = ("store", "s in all", "s to the probe", "probe, validation", "kept", "test accuracy", "low", "high")


def linne(*arguments: object, folder: str) -> tuple[dict[str, Any], float]:
    """Run a command as a process of its own: what it says, and the seconds it took from start to exit."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "linne", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(done.stdout), time.perf_counter() - start


def walked(store: str, given: argparse.Namespace, folder: str) -> tuple[Cell, ...]:
    fit = ("fit", given.photos.resolve(), "--weights", given.weights.resolve(), "--budget", given.budget)
    said, seconds = linne(*fit, "--cache", "store", folder=folder)
    probe = sum(said["seconds"][step] for step in TO_THE_PROBE)
    accuracy = linne("evaluate", said["run"], folder=folder)[0]["measures"]["accuracy"]
    test = (round(accuracy[name], 4) for name in ("value", "low", "high"))
    validation = round(said["probe"]["accuracy"], 4)
    return (store, round(seconds, 1), round(probe, 1), validation, said["chosen"]["method"], *test)


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder:
        rows = tuple(walked(store, given, folder) for store in ("empty", "warm"))
    yield Table(f"linne fit --budget {given.budget}, then linne evaluate", COLUMNS, rows)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [("photos", {"type": Path}), ("weights", {"type": Path}), ("--budget", {"default": "60s"})],
    )
