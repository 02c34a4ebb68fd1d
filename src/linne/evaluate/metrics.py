"""Scores of a classifier, as scikit-learn defines them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Counts(NamedTuple):
    """Images of each class, ``(..., classes)``: predicted rightly, predicted, and there.

    All that the scores need of a confusion matrix, which has as many cells as there are pairs of classes.
    """

    hits: Array
    predicted: Array
    actual: Array


def counted(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int, weights: Array | None = None
) -> Counts:
    """Count images of `labels` and `predicted`, ``(n,)``; under each row of `weights`, ``(m, n)``, where there are any.

    A weight is how often an image counts.
    """
    right = labels == predicted
    rows = np.ones((1, len(labels))) if weights is None else weights

    def each(which: NDArray[np.int64], rows: Array) -> Array:
        counts = np.array([np.bincount(which, row, classes) for row in rows], np.float64)
        return counts if weights is not None else np.asarray(counts[0])

    return Counts(each(labels[right], rows[:, right]), each(predicted, rows), each(labels, rows))


def confusions(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Cells of the confusion matrix that are not empty: true class, predicted class, images."""
    pairs, counts = np.unique(np.stack([labels, predicted]), axis=1, return_counts=True)
    return [(int(true), int(answer), int(count)) for (true, answer), count in zip(pairs.T, counts, strict=True)]


def class_scores(counts: Counts) -> tuple[Array, Array, Array]:
    """Precision, recall and F1 of each class; 0 where nothing was predicted or nothing was there."""
    hits, predicted, actual = counts
    return (
        np.asarray(hits / np.maximum(predicted, 1)),
        np.asarray(hits / np.maximum(actual, 1)),
        np.asarray(2 * hits / np.maximum(predicted + actual, 1)),
    )


def class_measures(counts: Counts) -> dict[str, Array]:
    """Accuracy and macro precision, recall and F1.

    The macro scores average over the classes that are there or were predicted.
    """
    precision, recall, f1 = class_scores(counts)
    number = np.maximum((counts.predicted + counts.actual > 0).sum(axis=-1), 1)
    return {
        "accuracy": np.asarray(counts.hits.sum(axis=-1) / np.maximum(counts.actual.sum(axis=-1), 1)),
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
