"""Which images are too dark, or too light, to show much?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.information import shows_nothing
from linne.audit.widespread import FAULTS, tell
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

DARK = "dark"
LIGHT = "light"

DARKEST = 45.0
"""Level of `darkness` below which an image is dark: mean luma below 45, and at most 5% of the pixels above 180."""

HIGHLIGHTS = 0.25
"""Weight of the 95th percentile: white strokes on black (a scan, 250) are not dark, however few they are."""

LIGHTEST = 35.0
"""Level of `lightness` below which an image is light: mean luma above 220, and at most 5% of the pixels below 138."""

SHADOWS = 0.3


def darkness(facts: Facts) -> NDArray[np.float32]:
    """Mean luma, or a quarter of the highlights where that is more: ``(n,)``, the lower the darker."""
    return _greater(facts.brightness, HIGHLIGHTS * facts.highlight.astype(np.float32))


def lightness(facts: Facts) -> NDArray[np.float32]:
    """The same, seen from white: ``(n,)``, the lower the lighter."""
    return _greater(255 - facts.brightness, SHADOWS * (255 - facts.shadow.astype(np.float32)))


def _greater(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    greater: NDArray[np.float32] = np.maximum(one, other)
    return greater


def dark(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell dark images."""
    level = darkness(facts)
    rows = np.flatnonzero(readable & (level < DARKEST) & ~shows_nothing(facts))
    remedy = "brighten it, or remove it if it shows nothing"
    return _told(DARK, index, facts, rows, level[rows] / DARKEST, remedy, int(readable.sum()))


def light(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell light images."""
    level = lightness(facts)
    rows = np.flatnonzero(readable & (level < LIGHTEST) & ~shows_nothing(facts))
    remedy = "remove it if it shows nothing"
    return _told(LIGHT, index, facts, rows, level[rows] / LIGHTEST, remedy, int(readable.sum()))


def _told(
    check: str,
    index: Index,
    facts: Facts,
    rows: NDArray[np.int64],
    level: NDArray[np.floating],
    remedy: str,
    images: int,
) -> list[Finding]:
    def reason(i: int) -> str:
        return f"mean brightness {facts.brightness[rows[i]] / 255:.0%}"

    return tell(check, index, rows, 1 - level / 2, reason, remedy, f"are {check}", images, FAULTS)
