"""Do the probabilities mean what they say, and what temperature makes them?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BINS = 15

Array = NDArray[np.float64]


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Find the temperature that makes the true classes likeliest.

    Guo, Pleiss, Sun, Weinberger: "On Calibration of Modern Neural Networks", ICML 2017, section 4.2. As by Platt
    ("Probabilistic Outputs for Support Vector Machines", 1999, section 2.2), the target of `n` images is not 1 but
    ``(n + 1) / (n + 2)``: twenty that are all right do not prove that the next one is.

    Parameters
    ----------
    logits : (n, classes) float32 array
        Of validation images.
    labels : (n,) int64 array

    Returns
    -------
    float
        In [0.05, 20]; logits are divided by it.
    """
    n, classes = logits.shape
    rest = 1 / (n + 2)
    targets = np.full((n, classes), rest / max(classes - 1, 1))
    targets[np.arange(n), labels] = 1 - rest

    def loss(log_temperature: float) -> float:
        log_probabilities = log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        return float(-(targets * log_probabilities).sum(axis=1).mean())

    return _least(loss)


def fit_binary_temperature(logits: NDArray[np.float32], truth: NDArray[np.uint8]) -> float:
    """Find the temperature that makes all labels, those that are there and those that are not, likeliest.

    One for all classes, so that their order within an image stays; targets are smoothed as those of `fit_temperature`.

    Parameters
    ----------
    logits : (n, classes) float32 array
        Of validation images.
    truth : (n, classes) array of 0 and 1

    Returns
    -------
    float
        In [0.05, 20]; logits are divided by it.
    """
    wide, there = logits.astype(np.float64), truth.astype(np.float64)
    positive = there.sum()
    targets = np.where(there > 0, (positive + 1) / (positive + 2), 1 / (there.size - positive + 2))

    def loss(log_temperature: float) -> float:
        scaled = wide / np.exp(log_temperature)
        return float((np.logaddexp(0, scaled) - targets * scaled).mean())

    return _least(loss)


def _least(loss: Callable[[float], float]) -> float:
    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


def reliability(probabilities: Array, labels: NDArray[np.int64]) -> list[tuple[float, float, int]]:
    """Mean confidence, accuracy and number of images of each bin of equal width that is not empty."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return [
        (float(confidence[which == b].mean()), float(right[which == b].mean()), int((which == b).sum()))
        for b in np.unique(which)
    ]


def calibration_error(confidence: Array, right: Array, weights: Array | None = None) -> Array:
    """Expected calibration error (Guo et al., section 2) over bins of equal width, of one or many weightings.

    Parameters
    ----------
    confidence : (n,) array
        Probability of the predicted class.
    right : (n,) array
        1 where the prediction is right, else 0.
    weights : (m, n) array, optional
        How often each image counts, in each of `m` samples.

    Returns
    -------
    (m,) array
    """
    counted = np.ones((1, len(right))) if weights is None else weights
    which = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    in_bin = np.eye(BINS)[which]  # (n, bins)
    gap = counted @ (in_bin * (confidence - right)[:, None])
    return np.asarray(np.abs(gap).sum(axis=1) / np.maximum(counted.sum(axis=1), 1))
