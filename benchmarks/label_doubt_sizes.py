"""What label doubt takes for many images and classes, in seconds and memory, beside cleanlab's decision alone.

linne goes all the way from (random) features of 256 dimensions to what is doubted; cleanlab is given probabilities. Its
import, which takes seconds too, does not count.

Usage: label_doubt_sizes.py [--images 100000] [--classes 1000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
from alone import alone, peak
from harness import Comparison, Table, main


def ours_at(images: int, classes: int) -> tuple[float, float]:
    """Seconds and MB more, for random features; for a fresh process."""
    features, labels = _clouds(images, classes)
    from label_doubt import Labelled, doubted, judge

    data = Labelled("", features, labels, labels, np.arange(images), tuple(map(str, range(classes))))
    before, start = peak(), time.perf_counter()
    judged = judge(data)
    doubted(data, judged)
    return time.perf_counter() - start, peak() - before


def cleanlabs_at(images: int, classes: int) -> tuple[float, float]:
    """The decision alone: the probabilities are there, and count for memory."""
    from cleanlab.filter import find_label_issues

    before = peak()
    rng = np.random.default_rng(0)
    labels = np.arange(images) % classes
    matrix = rng.random((images, classes), np.float32)
    matrix[np.arange(images), np.where(rng.random(images) < 0.9, labels, 0)] += classes / 4
    matrix /= matrix.sum(axis=1, keepdims=True)
    start = time.perf_counter()
    find_label_issues(labels, matrix, filter_by="prune_by_class", n_jobs=1)
    return time.perf_counter() - start, peak() - before


def _clouds(images: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """A cloud of 256 dimensions a class; a tenth of the labels by chance."""
    rng = np.random.default_rng(0)
    true = np.arange(images) % classes
    features = 1.5 * rng.standard_normal((images, 256), np.float32)
    features += rng.standard_normal((classes, 256), np.float32)[true]
    labels = np.where(rng.random(images) < 0.1, rng.integers(0, classes, images), true)
    return features, labels.astype(np.int32)


def sizes(images: int, classes: int) -> Table:
    rows = []
    for number, kinds in ((images // 10, 10), (images, 100), (images, classes)):
        ours, theirs = alone(ours_at, number, kinds), alone(cleanlabs_at, number, kinds)
        rows.append((f"{number:,} x {kinds:,}", *(round(cell, 1) for cell in (*ours, *theirs))))
    columns = ("linne, all of it, s", "MB more", "cleanlab, the decision, s", "MB more, probabilities too")
    return Table("Images x classes", ("", *columns), tuple(rows))


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    yield sizes(given.images, given.classes)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("--images", {"type": int, "default": 100_000, "help": "at most"}),
            ("--classes", {"type": int, "default": 1000, "help": "at most"}),
        ],
    )
