"""How large, how long and of which kind are the images?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linne.pixels.decode import FORMATS
from linne.pixels.facts import MODES, Facts
from linne.records.index import Index
from linne.records.survey import Histogram, Survey

SHAPES = (-10, 10, 5)
"""First range, last range and ranges an octave of aspect ratios: 1:4 to 4:1, with 1:1, 4:3, 3:2 and 16:9 each about the
middle of a range."""

SIDES = (6, 26, 2)
"""The same of shorter sides: 8 to 8,192 pixels."""

EXAMPLES = (0, 0.1, 0.35, 0.65, 0.9, 1)
"""Which images show what a network will see: from the tallest to the widest."""


def survey(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> Survey:
    """Count the readable images by shape, size and kind; `readable` is ``(n,)``."""
    rows = np.flatnonzero(readable)
    width, height = facts.width[rows].astype(np.float64), facts.height[rows].astype(np.float64)
    ratio = width / np.maximum(height, 1)
    order = np.argsort(ratio, kind="stable")
    some = sorted({round(share * (len(rows) - 1)) for share in EXAMPLES}) if len(rows) else []
    return Survey(
        images=len(rows),
        bytes=int(facts.bytes[rows].sum()),
        aspect_ratio=_histogram(ratio, SHAPES),
        shorter_side=_histogram(np.minimum(width, height), SIDES),
        formats=_named(facts.format[rows], FORMATS),
        modes=_named(facts.mode[rows], MODES),
        turned=int((facts.orientation[rows] > 1).sum()),
        animated=int(facts.animated[rows].sum()),
        examples=tuple(index.path(int(rows[order[i]])) for i in some),
    )


def _histogram(values: NDArray[np.float64], ranges: tuple[int, int, int]) -> Histogram:
    first, last, per_octave = ranges
    nearest = np.rint(per_octave * np.log2(np.maximum(values, 1e-9))).clip(first, last).astype(np.int64)
    counts = np.bincount(nearest - first, minlength=last - first + 1)
    return Histogram(first, per_octave, tuple(counts.tolist()))


def _named(values: NDArray[np.uint8], names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Names and how many images have them, the most frequent first."""
    counts = np.bincount(values, minlength=len(names))
    return tuple((names[i], int(counts[i])) for i in np.argsort(-counts, kind="stable") if counts[i])
