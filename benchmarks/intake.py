"""Class folders to an index of their images: seconds and memory, linne against torchvision's `ImageFolder`.

The files are made: 100 folders of empty files with .jpg names. Beside them is what a listing of the names alone takes
in Python. Each turn is a process of its own, timed without its start and its imports; memory is what its peak rises by.
A small folder is read first, since some libraries are imported only then.

Usage: intake.py [--files 200000] [--turns 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sized
from pathlib import Path

from alone import alone, peak
from harness import Comparison, Measured, Table, compare, main

CLASSES = 100

Reader = Callable[[str], Sized]


def torchvision() -> Reader:
    from torchvision.datasets import ImageFolder

    return ImageFolder


def linne() -> Reader:
    from linne.index.class_folders import read_folder

    return lambda folder: read_folder(Path(folder))


def listed() -> Reader:
    return lambda folder: [name for below in os.listdir(folder) for name in os.listdir(os.path.join(folder, below))]


READERS = {
    "torchvision, ImageFolder": torchvision,
    "linne": linne,
    "floor: names alone (os.listdir)": listed,
}


def make(folder: str, files: int) -> None:
    for number in range(CLASSES):
        os.mkdir(os.path.join(folder, f"class {number:02d}"))
    for number in range(files):
        name = os.path.join(folder, f"class {number % CLASSES:02d}", f"{number:07d}.jpg")
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))


def taken_in(name: str, folder: str) -> tuple[float, float, int]:
    """Seconds, MB and images found; for a fresh process."""
    read = READERS[name]()
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as small:
        make(small, CLASSES)
        read(small)
    before, start = peak(), time.perf_counter()
    images = read(folder)
    return time.perf_counter() - start, peak() - before, len(images)


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    megabytes: dict[str, list[float]] = {name: [] for name in READERS}

    with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder:
        make(folder, given.files)

        def turn(name: str) -> Measured:
            seconds, more, found = alone(taken_in, name, folder)
            if found != given.files:
                raise RuntimeError(f"{name} found {found} images of {given.files}")
            megabytes[name].append(more)
            return Measured(seconds)

        ways = {name: lambda name=name: turn(name) for name in READERS}
        title = f"Class folders to an index, {given.files:,} files"
        yield compare(title, ways, given.files, "files", given.turns)
    medians = {name: statistics.median(values) for name, values in megabytes.items()}
    rows = tuple((name, round(value, 1), round(1e6 * value / given.files)) for name, value in medians.items())
    yield Table(f"Memory for the index, {given.files:,} files", ("", "MB", "bytes a file"), rows)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [("--files", {"type": int, "default": 200_000}), ("--turns", {"type": int, "default": 3})],
    )
