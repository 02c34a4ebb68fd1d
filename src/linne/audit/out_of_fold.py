"""What would a classifier say of each image that it was not trained on?

Kernel ridge regression on the embeddings, in closed form, so that it costs seconds where cross-validated training
costs hours. The Gaussian kernel is approximated by landmarks (Nystroem: Williams and Seeger, "Using the Nystroem
Method to Speed Up Kernel Machines", NIPS 2000); up to `LANDMARKS` images it is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.model_selection import StratifiedGroupKFold

FOLDS = 5
LANDMARKS = 1000
BLOCK = 4096
"""Images mapped at a time, so that memory does not grow with their number."""

PENALTIES = (0.1, 1.0)
TEMPERATURES = np.geomspace(0.02, 0.5, 15)

Array = NDArray[np.float64]


def out_of_fold_probabilities(
    features: NDArray[np.float32], labels: NDArray[np.int32], groups: NDArray[np.int64], classes: int, seed: int
) -> NDArray[np.float32]:
    """Predict every image from the images of other folds.

    Parameters
    ----------
    features : (n, d) float32 array
    labels : (n,) int32 array
    groups : (n,) int64 array
        Images of one group (duplicates) fall in one fold.
    classes : int
    seed : int

    Returns
    -------
    (n, classes) float32 array
        Rows sum to 1. Penalty and temperature are those with the least out-of-fold log loss. With fewer than
        `FOLDS` images of every class nothing can be held out, and all classes are as likely.
    """
    if np.bincount(labels, minlength=1).max() < FOLDS:
        return np.full((len(labels), classes), 1 / classes, np.float32)
    fold = _folds(labels, groups, seed)
    kernel = _fit_kernel(features, np.random.default_rng(seed))
    prior = np.bincount(labels, minlength=classes) / len(labels)
    blocks = [slice(start, start + BLOCK) for start in range(0, len(labels), BLOCK)]

    size = kernel.projection.shape[1]
    gram, moment = np.zeros((FOLDS, size, size)), np.zeros((FOLDS, size, classes))
    for block in blocks:
        mapped, targets = kernel.map(features[block]), np.eye(classes)[labels[block]] - prior
        for f in range(FOLDS):
            inside = fold[block] == f
            gram[f] += mapped[inside].T @ mapped[inside]
            moment[f] += mapped[inside].T @ targets[inside]
    weights = np.empty((len(PENALTIES), FOLDS, size, classes))
    for f in range(FOLDS):
        rest, right = gram.sum(axis=0) - gram[f], moment.sum(axis=0) - moment[f]
        for i, penalty in enumerate(PENALTIES):
            factor = cho_factor(rest + penalty * np.eye(size), overwrite_a=True, check_finite=False)
            weights[i, f] = cho_solve(factor, right, check_finite=False)
    scores = np.empty((len(PENALTIES), len(labels), classes), np.float32)
    for block in blocks:
        mapped = kernel.map(features[block])
        for f in range(FOLDS):
            inside = np.flatnonzero(fold[block] == f)
            scores[:, block.start + inside] = mapped[inside] @ weights[:, f] + prior

    best, least = np.full((len(labels), classes), 1 / classes), np.inf
    for score in scores:
        for temperature in TEMPERATURES:
            probabilities = softmax(score / temperature)
            loss = -np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean()
            if loss < least:
                best, least = probabilities, loss
    return best.astype(np.float32)


@dataclass(frozen=True)
class _Kernel:
    """A map under which inner products are, about, a Gaussian kernel as wide as the median distance."""

    mean: NDArray[np.float32]
    scale: float
    landmarks: Array
    width: float
    projection: Array

    def map(self, features: NDArray[np.float32]) -> Array:
        """``(n, d)`` to ``(n, kept)``."""
        x = (features - self.mean).astype(np.float64) / self.scale
        mapped: Array = np.exp(-_squared_distances(x, self.landmarks) / self.width) @ self.projection
        return mapped


def _fit_kernel(features: NDArray[np.float32], rng: np.random.Generator) -> _Kernel:
    mean = features.mean(axis=0)
    starts = range(0, len(features), BLOCK)
    squares = sum(float(((features[i : i + BLOCK] - mean).astype(np.float64) ** 2).sum()) for i in starts)
    scale = np.sqrt(squares / len(features)) + 1e-12
    chosen = np.sort(rng.permutation(len(features))[:LANDMARKS])
    landmarks = (features[chosen] - mean).astype(np.float64) / scale
    between = _squared_distances(landmarks, landmarks)
    width = float(np.median(between)) + 1e-12
    values, vectors = np.linalg.eigh(np.exp(-between / width))
    kept = values > 1e-6 * values[-1]
    return _Kernel(mean, scale, landmarks, width, vectors[:, kept] / np.sqrt(values[kept]))


def _squared_distances(a: Array, b: Array) -> Array:
    squares: Array = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.maximum(squares, 0)


def _folds(labels: NDArray[np.int32], groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Fold of each row: classes spread evenly, groups kept whole."""
    fold = np.zeros(len(labels), np.int64)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for f, (_, held) in enumerate(splitter.split(labels, labels, groups)):
        fold[held] = f
    return fold


def softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows to probabilities."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
