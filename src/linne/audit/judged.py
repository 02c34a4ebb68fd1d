"""Of which images can the labels be judged, and what do the others say of them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linne.audit.alike_classes import AlikePairs, alike_pairs, are_alike
from linne.audit.confident_learning import confident_classes
from linne.audit.out_of_fold import OutOfFold, out_of_fold
from linne.records.index import Index

FEWEST_IMAGES = 10
"""A class with fewer distinct images is left out: too few to say what it looks like."""


@dataclass(frozen=True)
class Judged:
    """Images of classes that have enough of them. Classes are numbered anew, without those that are left out.

    Attributes
    ----------
    rows : (m,) int64 array
        Rows of the index.
    names : tuple of str
        Classes, at least two.
    labels : (m,) int32 array
        Positions in `names`.
    groups : (m,) int64 array
        Duplicates, and what the user named.
    predicted : OutOfFold
    confident : (m,) int32 array
        Class that confident learning is sure of, or `UNSURE`; the label where both classes are alike.
    alike : dict
        Classes that cannot be told apart. Which of both an image shows cannot be told then either.
    """

    rows: NDArray[np.int64]
    names: tuple[str, ...]
    labels: NDArray[np.int32]
    groups: NDArray[np.int64]
    predicted: OutOfFold
    confident: NDArray[np.int32]
    alike: AlikePairs

    @property
    def right(self) -> float:
        """Share of the images whose likeliest class is their label."""
        return float((self.predicted.top[:, 0] == self.labels).mean())


def judge(
    index: Index,
    features: NDArray[np.float32],
    readable: NDArray[np.bool_],
    groups: NDArray[np.int64],
    seed: int,
) -> Judged | None:
    """Predict what can be; None where fewer than two classes have enough images.

    Parameters
    ----------
    index : Index
    features : (n, d) float32 array
    readable : (n,) bool array
    groups : (n,) int64 array
    seed : int
    """
    rows = rows_of_enough(index, readable, groups)
    present, inverse = np.unique(index.label[rows], return_inverse=True)
    if len(present) < 2:
        return None
    every = len(rows) == len(index)  # then not a second copy of what may be gigabytes
    labels, groups = np.asarray(inverse, np.int32), groups[rows]
    predicted = out_of_fold(features if every else features[rows], labels, groups, len(present), seed)
    names = tuple(index.labels[label] for label in present)
    alike = alike_pairs(predicted, labels, seed)
    confident = confident_classes(predicted, labels)
    confident = np.where(are_alike(labels, confident, alike), labels, confident)
    return Judged(rows, names, labels, groups, predicted, confident, alike)


def rows_of_enough(index: Index, readable: NDArray[np.bool_], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of classes with `FEWEST_IMAGES` readable images of which no two are copies."""
    distinct = np.unique(np.stack([index.label[readable], groups[readable]]), axis=1)[0]
    enough = np.bincount(distinct, minlength=len(index.labels)) >= FEWEST_IMAGES
    return np.flatnonzero(readable & enough[index.label])
