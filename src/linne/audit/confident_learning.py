"""Which labels are wrong, and as what? Confident learning.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021, sections 3.1
(confident joint) and 3.2 (method 3, prune by class). As cleanlab does it, and tested to be, but from the few likeliest
classes of each image: cleanlab takes a probability for every image and class, which for 10,000 classes is tens of
gigabytes (docs/rooms/audit.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.out_of_fold import OutOfFold

UNSURE = -1


def confident_classes(predicted: OutOfFold, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Class that each image is confidently of, ``(n,)``; `UNSURE` where there is none.

    Confident is what is as likely, at least, as that class is on average for the images labelled so.
    """
    counts = np.bincount(labels, minlength=int(predicted.top.max(initial=-1)) + 1)
    sums = np.bincount(labels, predicted.given, minlength=len(counts))
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    reached = predicted.probability >= thresholds[predicted.top] - 1e-6
    first = np.take_along_axis(predicted.top, reached.argmax(axis=1)[:, None], axis=1)[:, 0]
    several = reached.sum(axis=1) > 1
    return np.where(reached.any(axis=1), np.where(several, predicted.top[:, 0], first), UNSURE).astype(np.int32)


def wrong_in_class(labels: NDArray[np.int32], confident: NDArray[np.int32]) -> NDArray[np.float64]:
    """Estimate the share of wrong labels of each class, ``(classes,)``: of the confident images, those of another."""
    sure = confident != UNSURE
    counts = np.bincount(labels[sure], minlength=int(labels.max(initial=-1)) + 1)
    right = np.bincount(labels[confident == labels], minlength=len(counts))
    return np.asarray((counts - right) / np.maximum(counts, 1))


def prune_by_class(predicted: OutOfFold, labels: NDArray[np.int32], confident: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Mark in each class as many labels as wrong as are estimated to be, the least likely ones."""
    counts = np.bincount(labels)
    wrong = counts - np.maximum(np.rint(counts * (1 - wrong_in_class(labels, confident))), 1)
    order = np.lexsort((predicted.given, labels))
    starts = np.cumsum(counts) - counts
    place = np.empty(len(labels), np.int64)
    place[order] = np.arange(len(labels)) - starts[labels[order]]
    return np.asarray((place < wrong[labels]) & (predicted.top[:, 0] != labels))
