"""Scores of decisions on each class of images with several labels, under many weightings of the images at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linne.evaluate.calibration import BINS

Array = NDArray[np.float64]
Marks = NDArray[np.uint8]


@dataclass(frozen=True)
class Counts:
    """Of each class under each weighting, ``(m, classes)``: images with it, said to have it, and rightly so."""

    actual: Array
    said: Array
    hits: Array

    @classmethod
    def of(cls, said: NDArray[np.bool_], truth: Marks, weights: Array) -> Counts:
        """Count; `said` and `truth` are ``(n, classes)``, `weights` ``(m, n)``."""
        there = truth.astype(np.float64)
        return cls(weights @ there, weights @ said.astype(np.float64), weights @ (said * there))

    @property
    def precision(self) -> Array:
        """0 where it is never said."""
        return np.asarray(self.hits / np.where(self.said > 0, self.said, 1))

    @property
    def recall(self) -> Array:
        """0 where no image has it."""
        return np.asarray(self.hits / np.where(self.actual > 0, self.actual, 1))

    @property
    def f1(self) -> Array:
        """0 where it is neither there nor said."""
        both = self.actual + self.said
        return np.asarray(2 * self.hits / np.where(both > 0, both, 1))


def decision_measures(counts: Counts, said: NDArray[np.bool_], truth: Marks, weights: Array) -> dict[str, Array]:
    """F1 of all decisions, means over classes that are there or said, Hamming loss, subset accuracy: ``(m,)`` each."""
    used = counts.actual + counts.said > 0
    number, images = np.maximum(used.sum(axis=1), 1), weights.sum(axis=1)
    wrong = said != truth.astype(bool)
    both = (counts.actual + counts.said).sum(axis=1)
    return {
        "micro_f1": 2 * counts.hits.sum(axis=1) / np.where(both > 0, both, 1),
        "macro_f1": counts.f1.sum(axis=1) / number,
        "macro_precision": counts.precision.sum(axis=1) / number,
        "macro_recall": counts.recall.sum(axis=1) / number,
        "hamming_loss": weights @ wrong.mean(axis=1) / images,
        "subset_accuracy": weights @ (~wrong.any(axis=1)).astype(np.float64) / images,
    }


def binary_log_losses(probabilities: Array, truth: Marks) -> Array:
    """Negative log probability of what is true of each class, ``(n, classes)``, in nats."""
    of_truth = np.where(truth > 0, probabilities, 1 - probabilities)
    return np.asarray(-np.log(np.maximum(of_truth, 1e-12)))


def average_precisions(probabilities: Array, truth: Marks, weights: Array) -> Array:
    """Average precision of each class under each weighting, ``(m, classes)``; NaN where no image has it.

    Precision at each probability, weighed by the recall that is gained there; equal probabilities count together.
    """
    found = np.full((len(weights), truth.shape[1]), np.nan)
    for label in np.flatnonzero(truth.any(axis=0)).tolist():
        order = np.argsort(-probabilities[:, label], kind="stable")
        last = np.flatnonzero(np.append(np.diff(probabilities[order, label]) != 0, True))
        weighed = weights[:, order]
        hits = np.cumsum(weighed * truth[order, label], axis=1)[:, last]
        seen = np.cumsum(weighed, axis=1)[:, last]
        gained = (np.diff(hits, axis=1, prepend=0) * hits / np.where(seen > 0, seen, 1)).sum(axis=1)
        there = hits[:, -1] > 0
        found[there, label] = gained[there] / hits[there, -1]
    return found


def gaps(probabilities: Array, truth: Marks) -> Array:
    """How far each image's probabilities are from the truth, summed in bins of equal width: ``(n, bins)``."""
    which = _bins(probabilities)
    return np.stack([np.where(which == b, probabilities - truth, 0).sum(axis=1) for b in range(BINS)], axis=1)


def decision_calibration_error(gap: Array, classes: int, weights: Array) -> Array:
    """Expected calibration error over all classes' probabilities, ``(m,)``, of `gaps` and weights ``(m, n)``."""
    return np.asarray(np.abs(weights @ gap).sum(axis=1) / np.maximum(weights.sum(axis=1) * classes, 1))


def decision_reliability(probabilities: Array, truth: Marks) -> list[tuple[float, float, int]]:
    """Mean probability, share of images that have the label, and number of decisions of each bin that is not empty."""
    which = _bins(probabilities)
    return [
        (float(probabilities[which == b].mean()), float(truth[which == b].mean()), int((which == b).sum()))
        for b in np.unique(which)
    ]


def _bins(probabilities: Array) -> NDArray[np.int64]:
    return np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
