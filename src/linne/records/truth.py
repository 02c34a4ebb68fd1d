"""One label an image, or any number of them: what the images ask of a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.records.index import Index
from linne.records.task import Task

Truth = NDArray[Any]
"""Of some rows: ``(n,)`` int64 labels of one label an image, or ``(n, classes)`` uint8, 1 where a class is there."""


def task_of(index: Index) -> Task:
    """Tell 'multi' where an image has several labels or none, else 'single'."""
    if index.labels_of is None or not (np.diff(index.labels_of.offsets.to_numpy()) != 1).any():
        return "single"
    return "multi"


def truth_of(index: Index, rows: NDArray[np.int64] | None = None) -> Truth:
    """Give the labels of some rows, or of all, as their task has them.

    Returns
    -------
    (n,) int64 array or (n, classes) uint8 array
        The latter where images have several labels or none.
    """
    if index.labels_of is None or task_of(index) == "single":
        return (index.label if rows is None else index.label[rows]).astype(np.int64)
    lists = index.labels_of if rows is None else index.labels_of.take(pa.array(rows))
    offsets, codes = lists.offsets.to_numpy(), lists.flatten().to_numpy()
    truth = np.zeros((len(lists), len(index.labels)), np.uint8)
    truth[np.repeat(np.arange(len(lists)), np.diff(offsets)), codes] = 1
    return truth


def names_of(labels: tuple[str, ...], present: NDArray[Any]) -> tuple[str, ...]:
    """Names of the classes that are there in ``(classes,)`` zeros and ones."""
    return tuple(labels[i] for i in np.flatnonzero(present))
