"""Do the files of recipes/ take the time and give the score that their heads say? Each with an empty store.

A head has a line ``# command: linne fit PHOTOS --weights WEIGHTS ...``, and what it took and gave:
``# time: 41 s`` and ``# validation accuracy: 0.865 [0.826, 0.897]``. The test set stays closed.

Usage: recipe_files.py PHOTOS WEIGHTS [--only probe ...]
"""

from __future__ import annotations

import argparse
import re
import shlex
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from harness import Cell, Comparison, Table, main
from peer_runs import linne

ROOT = Path(__file__).resolve().parent.parent


def head(file: Path) -> dict[str, str]:
    """The lines ``# name: value`` of a recipe."""
    found = re.findall(r"^# ([a-z ]+): (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


def made(file: Path, photos: Path, weights: Path) -> tuple[Cell, ...]:
    said = head(file)
    command = said["command"].replace("PHOTOS", str(photos)).replace("WEIGHTS", str(weights))
    program, *arguments = shlex.split(command)
    if program != "linne":
        raise SystemExit(f"{file}: its command is none of linne's")
    arguments = [str(ROOT / part) if (ROOT / part).exists() else part for part in arguments]
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as name:
        folder = Path(name)
        start = time.perf_counter()
        told = linne(*arguments, "--cache", folder / "store", "--out", folder / "runs", folder=folder)
        seconds = time.perf_counter() - start
    if "error" in told:
        raise SystemExit(f"{file}: {told['error']}")
    found = told["validation"]["measures"]["accuracy"]
    score = f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
    return file.stem, said.get("time", "-"), f"{seconds:.0f} s", said.get("validation accuracy", "-"), score


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    files = [file for file in sorted((ROOT / "recipes").glob("*.toml")) if not given.only or file.stem in given.only]
    rows = tuple(made(file, given.photos.resolve(), given.weights.resolve()) for file in files)
    columns = ("recipe", "time, as it says", "time", "validation accuracy, as it says", "validation accuracy")
    yield Table("Recipes", columns, rows)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("weights", {"type": Path}),
            ("--only", {"nargs": "+", "metavar": "NAME"}),
        ],
    )
