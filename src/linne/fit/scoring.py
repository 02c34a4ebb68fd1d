"""What validation says of a network's logits: of one label an image, or of several."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from linne.fit.probe import scores
from linne.records.truth import Truth

Logits = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over validation images.

    Attributes
    ----------
    accuracy : float
        Share of images that are right; with several labels those of which every label is, at probability 0.5.
    log_loss : float
        In nats; with several labels the mean over the classes.
    average_precision : float or None
        Mean over the classes that occur; None for one label an image.
    """

    accuracy: float
    log_loss: float
    average_precision: float | None = None


Each = dict[str, NDArray[Any]]
"""Arrays ``(n, ...)`` of what is remembered of each validation image."""


class Scoring(Protocol):
    """Scores logits ``(n, classes)`` of the validation images `seen`, ``(n,)``, in two steps.

    What is remembered of each image suffices to score some of them anew.
    """

    def each(self, logits: Logits, seen: NDArray[np.int64]) -> Each:
        """Give what is remembered of each image."""

    def mean(self, each: Each, seen: NDArray[np.int64]) -> Scores:
        """Give the scores over these images."""

    def as_good(self, each: Each, best: Each) -> bool:
        """Whether what it is worse by than the best is no more than the noise of so few images."""


@dataclass(frozen=True)
class OneLabel:
    """By accuracy; `truth` is ``(m,)``."""

    truth: NDArray[np.int64]

    def each(self, logits: Logits, seen: NDArray[np.int64]) -> Each:
        """Whether it is right, and its log loss."""
        right, losses = scores(logits, self.truth[seen])
        return {"right": right, "losses": losses}

    def mean(self, each: Each, seen: NDArray[np.int64]) -> Scores:  # noqa: ARG002 - all is in `each`
        """Means."""
        return Scores(float(each["right"].mean()), float(each["losses"].mean()))

    def as_good(self, each: Each, best: Each) -> bool:
        """Compare image by image: one standard error of the difference is noise (McNemar, 1947)."""
        worse = int(best["right"].sum()) - int(each["right"].sum())
        return worse <= math.sqrt((best["right"] != each["right"]).sum())


@dataclass(frozen=True)
class SeveralLabels:
    """By mean average precision; `truth` is ``(m, classes)`` of 0 and 1."""

    truth: NDArray[np.uint8]

    def each(self, logits: Logits, seen: NDArray[np.int64]) -> Each:  # noqa: ARG002 - the logits say all
        """Its logits: the precision of one image depends on all others."""
        return {"logits": logits}

    def mean(self, each: Each, seen: NDArray[np.int64]) -> Scores:
        """Means over images and classes."""
        truth, logits = self.truth[seen], each["logits"].astype(np.float64)
        right = ((logits >= 0) == truth).all(axis=1)
        losses = np.logaddexp(0, logits) - truth * logits
        return Scores(float(right.mean()), float(losses.mean()), mean_average_precision(logits, truth))

    def as_good(self, each: Each, best: Each) -> bool:  # noqa: ARG002
        """Say no: average precision is no mean over images, so its noise is not known so cheaply."""
        return False


def scoring_of(truth: Truth) -> Scoring:
    """Give what suits labels ``(m,)`` or ``(m, classes)``."""
    return OneLabel(truth) if truth.ndim == 1 else SeveralLabels(truth)


def mean_average_precision(values: Logits, truth: NDArray[np.uint8]) -> float:
    """Average precision, the mean over the classes that have an image; 0 where none has.

    Parameters
    ----------
    values : (n, classes) array
        Higher where a label is likelier.
    truth : (n, classes) array of 0 and 1
    """
    present = np.flatnonzero(truth.any(axis=0))
    return float(np.mean([_average_precision(values[:, i], truth[:, i]) for i in present])) if len(present) else 0.0


def _average_precision(values: Logits, truth: NDArray[np.uint8]) -> float:
    """Precision at each value, weighed by the recall that is gained there; equal values count together."""
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
    hits = np.cumsum(truth[order], dtype=np.int64)[last]
    return float((np.diff(hits, prepend=0) * hits / (last + 1)).sum() / hits[-1])
