"""Which images are far smaller or larger than the rest, or far longer than wide?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.widespread import FAULTS, tell
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

SIZE = "odd size"
SHAPE = "odd aspect ratio"

FAR = 3.0
"""Spreads (quartile to quartile, of the logarithm) from the nearer quartile at which a size is odd; Tukey's "far out"
(Exploratory Data Analysis, 1977)."""

LEAST_SPREAD = 0.5
"""Octaves: where all images have one size, a size is odd that is less than 0.35, or more than 2.8 times that."""

LONG = 2.5
"""Longer side over shorter from which on a picture is a strip: phones give up to 2.2; a centre crop sees 40% of it."""


def odd_size(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell images whose side (root of the area) is far from the others'. Large ones do less harm: half the score."""
    rows = np.flatnonzero(readable)
    if not len(rows):
        return []
    side = np.sqrt(facts.width[rows].astype(np.float64) * facts.height[rows])
    octaves = np.log2(side)
    low, middle, high = np.percentile(octaves, (25, 50, 75))
    limit = FAR * max(high - low, LEAST_SPREAD)
    beyond = np.maximum(low - octaves, octaves - high)
    odd = beyond > limit
    rows, side, beyond = rows[odd], side[odd], beyond[odd]
    small = side < 2**middle
    score = (1 - limit / (2 * np.maximum(beyond, limit))) * np.where(small, 1, 0.5)

    def reason(i: int) -> str:
        row = rows[i]
        what = "smaller" if small[i] else "larger"
        times = max(2**middle / side[i], side[i] / 2**middle)
        return f"{facts.width[row]} x {facts.height[row]} pixels, {times:.1f} times {what} than most"

    remedy = "look for a better copy of a small one; scale a large one down"
    return tell(SIZE, index, rows, score, reason, remedy, "are of a size far from most", int(readable.sum()), FAULTS)


def odd_aspect_ratio(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell images that are 2.5 times as long as wide, or more."""
    longer = np.maximum(facts.width, facts.height).astype(np.float64)
    ratio = longer / np.maximum(np.minimum(facts.width, facts.height), 1)
    rows = np.flatnonzero(readable & (ratio >= LONG))

    def reason(i: int) -> str:
        row = rows[i]
        return f"{facts.width[row]} x {facts.height[row]} pixels: a network sees a part of it, or all of it squeezed"

    remedy = "crop it to what it is about"
    what = f"are at least {LONG} times as long as wide"
    return tell(SHAPE, index, rows, 1 - LONG / (2 * ratio[rows]), reason, remedy, what, int(readable.sum()), FAULTS)
