"""How sure is a number? Ends of 95% intervals, and the least width that the evidence allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linne.records.evaluation import Measure

RESAMPLES = 1000

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Values with the ends of their intervals, ``(k,)`` each."""

    value: Array
    low: Array
    high: Array


def measure(interval: Interval, i: int) -> Measure:
    """One of them."""
    return Measure(float(interval.value[i]), float(interval.low[i]), float(interval.high[i]))


def widened(interval: Interval, evidence: Array) -> Interval:
    """Intervals of shares, at least as wide as Wilson's: where all or none is right, every resample is the same.

    `evidence` counts the images, or the groups of them, that each share is of.

    Wilson: "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927.
    """
    share, n, z = interval.value, np.maximum(evidence, 1), 1.959964
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    low = np.clip(np.minimum(interval.low, centre - half), 0, share)
    high = np.clip(np.maximum(interval.high, centre + half), share, 1)
    unknown = evidence == 0
    return Interval(share, np.where(unknown, 0.0, low), np.where(unknown, 1.0, high))
