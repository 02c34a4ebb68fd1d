"""Is one classifier better than another on the same images, or is it chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from linne.evaluate.intervals import RESAMPLES
from linne.records.evaluation import Measure

CHANCE = 0.05
"""A difference that chance would give more often than this is none."""

_CELLS = 1 << 22
"""Weights of groups held at a time."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Accuracy of the first less that of the second, with its 95% bootstrap interval, and how often chance does that.

    `p` is that of a two-sided sign test over groups: where each image is its own group, McNemar's exact test.
    """

    difference: Measure
    p: float


def compare_paired(
    first: NDArray[np.bool_], second: NDArray[np.bool_], groups: NDArray[np.int64], seed: int
) -> Compared:
    """Compare what two classifiers got right.

    Parameters
    ----------
    first, second : (n,) bool array
        Whether each was right, of the same images.
    groups : (n,) int64 array
        Images of one group (copies, a patient) are one piece of evidence, and resampled together.
    seed : int
        Of the bootstrap.

    References
    ----------
    McNemar: "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12, 1947.
    """
    net, size = _of_groups(first, second, groups)
    number = len(size)
    rng = np.random.default_rng(seed)
    drawn = []
    chunk = max(1, _CELLS // number)
    for start in range(0, RESAMPLES, chunk):
        weights = rng.multinomial(number, np.full(number, 1 / number), size=min(chunk, RESAMPLES - start))
        drawn.append((weights @ net) / (weights @ size))
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    return Compared(Measure(float(net.sum() / size.sum()), float(low), float(high)), sign_test(first, second, groups))


def sign_test(first: NDArray[np.bool_], second: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    """How often chance gives a difference like that: `Compared.p`."""
    net, _ = _of_groups(first, second, groups)
    better, worse = int((net > 0).sum()), int((net < 0).sum())
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def _of_groups(
    first: NDArray[np.bool_], second: NDArray[np.bool_], groups: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many more images of each group the first got right, and how many it has."""
    _, group = np.unique(groups, return_inverse=True)
    net = np.bincount(group, first.astype(np.float64) - second.astype(np.float64))
    return net.astype(np.float64), np.bincount(group).astype(np.float64)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Adjust for so many comparisons, in their order; raises none above 1.

    Holm: "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    result, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[place]))
        result[place] = highest
    return result
