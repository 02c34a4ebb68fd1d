"""Two ways to do one thing, timed in pairs, so that what slows the machine down slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

FEWEST = 15
"""Pairs, however long they take."""


@dataclass(frozen=True)
class Ratio:
    """Theirs over ours, more than 1 where ours is faster: the median over pairs, the quartiles, the median times."""

    median: float
    low: float
    high: float
    theirs: float
    ours: float

    def __str__(self) -> str:
        return (
            f"{self.median:.2f} [{self.low:.2f}, {self.high:.2f}] ({1e3 * self.theirs:.1f} / {1e3 * self.ours:.1f} ms)"
        )


def ratio(theirs: Callable[[], object], ours: Callable[[], object], seconds: float) -> Ratio:
    """Time both by turns, the one that comes first by turns too."""
    for work in (theirs, ours):
        work()
    pairs: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(pairs) < FEWEST:
        took = [0.0, 0.0]
        for which in (0, 1) if len(pairs) % 2 else (1, 0):
            start = time.perf_counter()
            (theirs, ours)[which]()
            took[which] = time.perf_counter() - start
        pairs.append((took[0], took[1]))
    low, median, high = statistics.quantiles([one / other for one, other in pairs], n=4)
    one, other = (statistics.median(times) for times in zip(*pairs, strict=True))
    return Ratio(median, low, high, one, other)
