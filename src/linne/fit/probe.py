"""A linear classifier on frozen features: the baseline that everything else must beat."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

INVERSE_PENALTIES = (1e-3, 1e-2, 1e-1)
MAX_ITERATIONS = 100

TOLERANCE = 1e-3
"""Of the gradient: the last digit costs as much time as all before, and validation does not see it."""

Features = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Probe:
    """``logits = features @ weight.T + bias``.

    Attributes
    ----------
    weight : (classes, d) float32 array
    bias : (classes,) float32 array
    inverse_penalty : float
        scikit-learn's ``C``, for standardised features: the one with the least log loss on validation images.
    accuracy, log_loss : float
        On validation images.
    average_precision : float or None
        On validation images, of several labels: see `linne.fit.scoring.Scores`.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    inverse_penalty: float
    accuracy: float
    log_loss: float
    average_precision: float | None = None


def fit_probe(train: Features, labels: Labels, validation: Features, truth: Labels) -> Probe:
    """Fit multinomial logistic regression along a path of penalties, each started from the last.

    Parameters
    ----------
    train : (n, d) float32 array
    labels : (n,) int64 array
        Every class 0..classes-1 is in it.
    validation : (m, d) float32 array
    truth : (m,) int64 array
    """
    mean = train.mean(axis=0)
    deviation = train.std(axis=0) + 1e-6
    scaled, held = (train - mean) / deviation, (validation - mean) / deviation
    model = LogisticRegression(warm_start=True, max_iter=MAX_ITERATIONS, tol=TOLERANCE)
    best: Probe | None = None
    for inverse_penalty in INVERSE_PENALTIES:
        model.C = inverse_penalty
        with warnings.catch_warnings():
            # Stopping early is regularisation too; validation decides.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", "The number of unique classes is greater", UserWarning)
            model.fit(scaled, labels)
        weight, bias = _one_row_a_class(model.coef_, model.intercept_)
        accuracy, loss = score(held @ weight.T + bias, truth)
        if best is None or loss < best.log_loss:
            unscaled = (weight / deviation).astype(np.float32)
            shifted = (bias - unscaled @ mean).astype(np.float32)
            best = Probe(unscaled, shifted, inverse_penalty, accuracy, loss)
        else:
            break  # past the best penalty
    assert best is not None  # noqa: S101 - the path is not empty
    return best


def score(logits: NDArray[np.floating], labels: Labels) -> tuple[float, float]:
    """Accuracy and mean log loss (nats) of logits ``(n, classes)``."""
    right, losses = scores(logits, labels)
    return float(right.mean()), float(losses.mean())


def scores(logits: NDArray[np.floating], labels: Labels) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Of each image, whether its logits ``(n, classes)`` are right, and its log loss."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    of_true = shifted[np.arange(len(labels)), labels]
    return logits.argmax(axis=1) == labels, np.log(np.exp(shifted).sum(axis=1)) - of_true


def _one_row_a_class(
    weight: NDArray[np.floating], bias: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """scikit-learn gives one row for two classes: the log odds of the second."""
    if len(weight) > 1:
        return weight, bias
    return np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
