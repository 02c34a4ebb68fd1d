"""From which probability on is a label said? For each class where its F1 is best, by validation images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

SHRINKAGE = 20.0
"""Images with a label that weigh as much as the threshold of all classes: what few images say is mostly chance."""

LEAST, MOST = 1e-3, 1 - 1e-3

Array = NDArray[np.float64]


def choose_thresholds(probabilities: Array, truth: NDArray[np.uint8]) -> Array:
    """Choose the threshold of each class.

    Lipton, Elkan, Naryanaswamy: "Optimal Thresholding of Classifiers to Maximize F1 Measure", ECML PKDD 2014: the best
    threshold differs from class to class, and for rare classes it overfits. So each class's own, as log odds, is drawn
    towards that of all decisions together, the more so the fewer images have the label.

    Parameters
    ----------
    probabilities : (n, classes) array
        Of validation images.
    truth : (n, classes) array of 0 and 1

    Returns
    -------
    (classes,) array
        In [0.001, 0.999].
    """
    of_all = _best(probabilities.ravel(), truth.ravel())
    own = np.array([_best(column, there) for column, there in zip(probabilities.T, truth.T, strict=True)])
    images = truth.sum(axis=0)
    weight = images / (images + SHRINKAGE)
    return np.asarray(expit(weight * logit(own) + (1 - weight) * logit(of_all)))


def _best(probabilities: Array, truth: NDArray[np.uint8]) -> float:
    """The threshold of the largest F1, midway between two probabilities; one half where no image has the label."""
    if not truth.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    hits = np.cumsum(truth[order], dtype=np.int64)[last]
    f1 = 2 * hits / (last + 1 + truth.sum())
    best = int(last[f1.argmax()])
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float(np.clip((ranked[best] + below) / 2, LEAST, MOST))
