"""What would a classifier say of each image that it was not trained on?

Kernel ridge regression on the embeddings, in closed form, so that it costs seconds where cross-validated training
costs hours. The Gaussian kernel is approximated by landmarks (Nystroem: Williams and Seeger, "Using the Nystroem
Method to Speed Up Kernel Machines", NIPS 2000); up to `LANDMARKS` images it is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.model_selection import StratifiedGroupKFold

FOLDS = 5
LANDMARKS = 1000
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
    rng = np.random.default_rng(seed)
    mapped = _nystroem(features, rng)
    targets = np.eye(classes)[labels]
    prior = targets.mean(axis=0)
    fold = _folds(labels, groups, seed)

    gram, moment = mapped.T @ mapped, mapped.T @ (targets - prior)
    best, least = np.full((len(labels), classes), 1 / classes), np.inf
    scores = {penalty: np.empty((len(labels), classes)) for penalty in PENALTIES}
    for f in range(FOLDS):
        held = mapped[fold == f]
        rest = gram - held.T @ held
        right = moment - held.T @ (targets[fold == f] - prior)
        for penalty in PENALTIES:
            factor = cho_factor(rest + penalty * np.eye(len(rest)), overwrite_a=True, check_finite=False)
            scores[penalty][fold == f] = held @ cho_solve(factor, right, check_finite=False) + prior
    for score in scores.values():
        for temperature in TEMPERATURES:
            probabilities = softmax(score / temperature)
            loss = -np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean()
            if loss < least:
                best, least = probabilities, loss
    return best.astype(np.float32)


def _nystroem(features: NDArray[np.float32], rng: np.random.Generator) -> Array:
    """Map features so that their inner products are a Gaussian kernel, as wide as the median distance."""
    x = (features - features.mean(axis=0)).astype(np.float64)
    x /= np.sqrt((x**2).sum(axis=1).mean()) + 1e-12
    chosen = np.sort(rng.permutation(len(x))[:LANDMARKS])
    between = _squared_distances(x, x[chosen])
    width = np.median(between) + 1e-12
    kernel = np.exp(-between / width)
    values, vectors = np.linalg.eigh(kernel[chosen])
    kept = values > 1e-6 * values[-1]
    mapped: Array = kernel @ (vectors[:, kept] / np.sqrt(values[kept]))
    return mapped


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


def softmax(logits: Array) -> Array:
    """Rows to probabilities."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
