"""Which images are unlike all others: of something else, perhaps?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "off topic"

LANDMARKS = 2000
"""Images that all are compared with, drawn at random where there are more."""

NEIGHBOURS = 5
"""A picture is off topic only if it has fewer of its kind."""

FAR = 2.25
"""Robust standard deviations above the median distance from which on an image is told of (docs/rooms/audit.md)."""

FEWEST = 50
"""Distinct images below which nobody can say what is usual."""

BLOCK = 1024
"""Images compared at a time, so that memory does not grow with their number."""

_MAD = 1.4826
"""Median absolute deviations in a standard deviation, of a normal distribution."""

_LEAST_DEVIATION = 1e-3
"""Of distances in [0, 2]: below it, images differ by noise only."""


def off_topic(
    index: Index,
    features: NDArray[np.float32],
    readable: NDArray[np.bool_],
    groups: NDArray[np.int64],
    seed: int,
) -> list[Finding]:
    """Tell images that are far from their nearest neighbours.

    Parameters
    ----------
    index : Index
    features : (n, d) float32 array
        A network's.
    readable : (n,) bool array
    groups : (n,) int64 array
        Copies, which are no neighbours of each other.
    seed : int
        Draws the landmarks.

    Notes
    -----
    The distance to the k-th nearest neighbour (Ramaswamy, Rastogi, Shim: "Efficient Algorithms for Mining Outliers
    from Large Data Sets", SIGMOD 2000), of features scaled to length one (Sun et al.: "Out-of-Distribution Detection
    with Deep Nearest Neighbors", ICML 2022), above the median in robust standard deviations.
    """
    rows = np.flatnonzero(readable)
    if len(np.unique(groups[rows])) < FEWEST:
        return []
    distance = neighbour_distance(features, rows, groups, np.random.default_rng(seed))
    usual, far = float(np.median(distance)), robustly_far(distance)
    told = np.flatnonzero(far > FAR)
    return [
        Finding(
            CHECK,
            index.path(int(rows[i])),
            1 - FAR / (2 * float(far[i])),
            f"unlike all others: {distance[i]:.2f} from its nearest, where {usual:.2f} is usual",
            label=index.label_of(int(rows[i])),
            remedy="look at it; if it shows none of the classes, remove it",
        )
        for i in told.tolist()
    ]


def neighbour_distance(
    features: NDArray[np.float32], rows: NDArray[np.int64], groups: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Distance of each row ``(m,)`` to its 5th nearest landmark that is no copy of it."""
    _, first = np.unique(groups[rows], return_index=True)
    chosen = rows[np.sort(rng.permutation(first)[:LANDMARKS])]
    landmarks = _unit(features[chosen])
    k = min(NEIGHBOURS, len(chosen) - 1) - 1
    distance = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        likeness = _unit(features[block]) @ landmarks.T
        likeness[groups[block][:, None] == groups[chosen]] = -np.inf
        nearest = -np.partition(-likeness, k, axis=1)[:, k]
        distance[start : start + BLOCK] = np.sqrt(np.maximum(2 - 2 * nearest, 0))
    return distance


def robustly_far(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """How many robust standard deviations above the median: ``(m,)``."""
    above = distance - np.median(distance)
    far: NDArray[np.float32] = above / max(_MAD * float(np.median(np.abs(above))), _LEAST_DEVIATION)
    return far


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    unit: NDArray[np.float32] = features / np.maximum(length, np.float32(1e-12))
    return unit
