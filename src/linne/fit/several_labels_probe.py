"""The linear classifier on frozen features where images have several labels: one logistic regression a class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from linne.fit.probe import INVERSE_PENALTIES, MAX_ITERATIONS, Features, Probe
from linne.fit.scoring import SeveralLabels

TOLERANCE = 1e-5
"""Of the loss, relative: validation does not see more."""


def fit_several_labels_probe(
    train: Features, targets: NDArray[np.uint8], validation: Features, truth: NDArray[np.uint8]
) -> Probe:
    """Fit logistic regression of each class against the rest, all at once, along a path of penalties.

    Parameters
    ----------
    train : (n, d) float32 array
    targets : (n, classes) uint8 array
        1 where an image has a label. A class that all training images have, or none, gets a constant probability.
    validation : (m, d) float32 array
    truth : (m, classes) uint8 array

    Returns
    -------
    Probe
        The penalty is that of the least log loss on validation images, the mean over classes.
    """
    mean = train.mean(axis=0)
    deviation = train.std(axis=0) + 1e-6
    scaled, held = (train - mean) / deviation, (validation - mean) / deviation
    share = (targets.sum(axis=0) + 0.5) / (len(targets) + 1)
    telling = np.flatnonzero((targets.min(axis=0) == 0) & (targets.max(axis=0) == 1))
    weight = np.zeros((targets.shape[1], train.shape[1]))
    bias = np.log(share / (1 - share))
    scoring, seen = SeveralLabels(truth), np.arange(len(held))
    best: Probe | None = None
    for inverse_penalty in INVERSE_PENALTIES:
        fitted = _fit(scaled, targets[:, telling], inverse_penalty, weight[telling], bias[telling])
        weight[telling], bias[telling] = fitted
        scores = scoring.mean(scoring.each(held @ weight.T.astype(np.float32) + bias, seen), seen)
        if best is not None and scores.log_loss >= best.log_loss:
            break  # past the best penalty
        unscaled = (weight / deviation).astype(np.float32)
        shifted = (bias - unscaled @ mean).astype(np.float32)
        best = Probe(unscaled, shifted, inverse_penalty, scores.accuracy, scores.log_loss, scores.average_precision)
    assert best is not None  # noqa: S101 - the path is not empty
    return best


def _fit(
    scaled: Features,
    targets: NDArray[np.uint8],
    inverse_penalty: float,
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Minimise scikit-learn's objective, the sum over the classes; products are of float32, sums of float64."""
    classes, features = weight.shape
    if not classes:
        return weight, bias
    wanted = targets.astype(np.float32)

    def objective(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        w, b = parameters[:-classes].reshape(classes, features), parameters[-classes:]
        logits = scaled @ w.T.astype(np.float32) + b.astype(np.float32)
        loss = np.logaddexp(0, logits).sum(dtype=np.float64) - (wanted * logits).sum(dtype=np.float64)
        error = expit(logits) - wanted
        slope = np.concatenate([(error.T @ scaled).ravel(), error.sum(axis=0)]).astype(np.float64)
        slope[:-classes] += parameters[:-classes] / inverse_penalty
        return loss + (w**2).sum() / (2 * inverse_penalty), slope

    options = {"maxiter": MAX_ITERATIONS, "ftol": TOLERANCE}
    found = minimize(objective, np.concatenate([weight.ravel(), bias]), jac=True, method="L-BFGS-B", options=options)
    return found.x[:-classes].reshape(classes, features), found.x[-classes:]
