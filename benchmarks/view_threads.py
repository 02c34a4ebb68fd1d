"""How random views of 224 pixels scale with threads: from files, from the pixel cache, and while the cache is written.

A turn is an epoch of uint8 batches of 64. Views are cropped to 35% to 100% of the picture and mirrored every second
time; with colours, brightness, contrast and saturation vary by 30%. What `sources.py` allows is measured by this.

Usage: view_threads.py PHOTOS [--images N] [--turns N] [--threads N ...]    (class folders of JPEGs)
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

from batches import AREA, BATCH, linne_source, opened
from harness import Comparison, Table, compare, main

from linne.fit import sources
from linne.fit.policy import Policy
from linne.pixels.cache import PixelCache


def epoch_of(photos: Path, images: int, policy: Policy, kept: PixelCache | None, threads: int, number: int) -> None:
    """One epoch by so many threads, whatever the machine has."""
    allowed = sources.view_threads
    sources.view_threads = lambda **_: threads
    try:
        source = linne_source(photos, images, policy, kept, floats=False)
        seen = sum(len(labels) for _, labels in source.epoch(number))
    finally:
        sources.view_threads = allowed
    if seen != images:
        raise RuntimeError(f"{seen} images of {images}")


def way(
    photos: Path, images: int, policy: Policy, threads: int, kept: PixelCache | None, anew: Path | None
) -> Callable[[], None]:
    """Epochs from a cache, from files without one, or (`anew`) writing a new one each time."""
    numbers = count(1)

    def turn() -> None:
        number = next(numbers)
        if anew is None:
            epoch_of(photos, images, policy, kept, threads, number)
        else:
            with closing(opened(photos, policy, anew / f"{threads}-{number}")) as new:
                epoch_of(photos, images, policy, new, threads, number)

    return turn


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    photos, images = given.photos, given.images // BATCH * BATCH
    plain, colours = Policy(True, AREA, 0), Policy(True, AREA)
    for title, policy, cached, building in (
        ("from files, crop and flip", plain, False, False),
        ("from the cache, crop and flip", plain, True, False),
        ("from the cache, with colours", colours, True, False),
        ("from files, with colours, building the cache", colours, False, True),
    ):
        with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder:
            kept = opened(photos, policy, Path(folder) / "kept") if cached else None
            if kept is not None:
                epoch_of(photos, images, policy, kept, 2, 0)
            anew = Path(folder) if building else None
            ways = {f"{threads} threads": way(photos, images, policy, threads, kept, anew) for threads in given.threads}
            yield compare(f"Views {title}, {images} photos", ways, images, "images", given.turns)
            if kept is not None:
                kept.close()


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("--images", {"type": int, "default": 512}),
            ("--turns", {"type": int, "default": 3}),
            ("--threads", {"type": int, "nargs": "+", "default": [2, 4, 8, 16]}),
        ],
    )
