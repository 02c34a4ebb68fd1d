"""Images of each class and subset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linne.records.index import NONE, TEST, TRAIN, VALIDATION, Index

MOST_CLASSES = 200
"""Rows of the table; of more classes those with the fewest images and those with the most are shown."""

SUBSETS = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}


@dataclass(frozen=True, slots=True)
class ClassCount:
    """Images of one class: all of them, and of each subset; `share` is relative to the largest class."""

    label: str
    images: int
    subsets: tuple[int, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Balance:
    """What the table says.

    Attributes
    ----------
    classes : int
        All of them.
    rows : tuple of ClassCount
        Those that are shown.
    columns : tuple of str
        Names of the subsets.
    images : int
        Labels of all classes together.
    subsets : tuple of int
        The same of each subset.
    """

    classes: int
    rows: tuple[ClassCount, ...]
    columns: tuple[str, ...]
    images: int
    subsets: tuple[int, ...]


def class_balance(index: Index, subset: NDArray[np.int8] | None, rest: str) -> Balance:
    """Count.

    Parameters
    ----------
    index : Index
    subset : (n,) int8 array or None
        As in `linne.records.index.SUBSETS`; None where there is no split.
    rest : str
        What to call images that are in no subset.
    """
    names = {} if subset is None else {**SUBSETS, NONE: rest}
    images = index.counts()
    counts = [index.counts(np.flatnonzero(subset == which)) for which in names] if subset is not None else []
    classes = len(images)
    shown = np.arange(classes)
    if classes > MOST_CLASSES:
        order = np.argsort(images, kind="stable")
        shown = np.concatenate([order[: MOST_CLASSES // 2], order[-(MOST_CLASSES // 2) :]])
    most = max(int(images.max(initial=0)), 1)
    rows = tuple(
        ClassCount(index.labels[i], int(images[i]), tuple(int(count[i]) for count in counts), float(images[i]) / most)
        for i in shown.tolist()
    )
    totals = tuple(int(count.sum()) for count in counts)
    return Balance(classes, rows, tuple(names.values()), int(images.sum()), totals)
