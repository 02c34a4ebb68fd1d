"""Scores of a classifier from a confusion matrix, as scikit-learn defines them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count ``(classes, classes)``: row, the true class; column, the predicted one."""
    counts = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def class_scores(confusion: NDArray[np.int64] | Array) -> tuple[Array, Array, Array]:
    """Precision, recall and F1 of each class; 0 where nothing was predicted or nothing was there.

    Parameters
    ----------
    confusion : (..., classes, classes) array
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    predicted, actual = confusion.sum(axis=-2), confusion.sum(axis=-1)
    return (
        np.asarray(hits / np.maximum(predicted, 1)),
        np.asarray(hits / np.maximum(actual, 1)),
        np.asarray(2 * hits / np.maximum(predicted + actual, 1)),
    )


def confusion_measures(confusion: NDArray[np.int64] | Array) -> dict[str, Array]:
    """Accuracy and macro precision, recall and F1 of ``(..., classes, classes)`` confusion matrices.

    The macro scores average over the classes that are there or were predicted.
    """
    precision, recall, f1 = class_scores(confusion)
    used = (confusion.sum(axis=-1) + confusion.sum(axis=-2)) > 0
    number = np.maximum(used.sum(axis=-1), 1)
    total = np.maximum(confusion.sum(axis=(-2, -1)), 1)
    return {
        "accuracy": np.asarray(np.trace(confusion, axis1=-2, axis2=-1) / total),
        "macro_precision": precision.sum(axis=-1) / number,
        "macro_recall": recall.sum(axis=-1) / number,
        "macro_f1": f1.sum(axis=-1) / number,
    }


def log_losses(probabilities: Array, labels: NDArray[np.int64]) -> Array:
    """Negative log probability of each true class, ``(n,)``, in nats."""
    return np.asarray(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)))


def top_k_hits(probabilities: Array, labels: NDArray[np.int64], k: int) -> Array:
    """Whether the true class is among the `k` likeliest, ``(n,)`` of 0 and 1; of equals the first, as by argmax."""
    of_true = probabilities[np.arange(len(labels)), labels][:, None]
    before = np.arange(probabilities.shape[1]) < labels[:, None]
    ahead = (probabilities > of_true) | ((probabilities == of_true) & before)
    return np.asarray((ahead.sum(axis=1) < k).astype(np.float64))
