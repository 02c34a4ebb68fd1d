"""Probabilities and labels to an `Evaluation`: each number with a 95% bootstrap interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.evaluate.calibration import calibration_error, reliability
from linne.evaluate.intervals import RESAMPLES, Interval, measure, widened
from linne.evaluate.metrics import (
    Counts,
    class_measures,
    class_scores,
    confusions,
    counted,
    log_losses,
    top_k_hits,
)
from linne.records.evaluation import ClassScore, Evaluation, HardCase

CLASS_SCORES = ("precision", "recall", "f1")
NO_SHARES = frozenset({"log_loss", "ece", "ece_uncalibrated"})
HARDEST = 24
_CELLS = 1 << 22
"""Counts of classes, or weights of images, held at a time, so that memory stays flat."""

Array = NDArray[np.float64]


def summarise(
    probabilities: Array,
    uncalibrated: Array,
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    paths: list[str],
    names: tuple[str, ...],
    subset: str,
    bundle: str,
    split: str,
    seed: int,
    notes: tuple[str, ...] = (),
) -> Evaluation:
    """Score a classifier on one subset.

    Parameters
    ----------
    probabilities, uncalibrated : (n, classes) array
        With the fitted temperature, and with temperature 1.
    labels : (n,) int64 array
    groups : (n,) int64 array
        Images of one group (copies, a patient) are resampled together: they are no independent evidence.
    paths : list of str
        Of the images, in the same order.
    names : tuple of str
        Class names.
    subset : str
    bundle, split : str
        Fingerprints of what was evaluated, on what.
    seed : int
        Of the bootstrap.
    notes : tuple of str
    """
    predicted = probabilities.argmax(axis=1)
    images = np.bincount(labels, minlength=len(names))
    measures, scores = _bootstrapped(probabilities, uncalibrated, labels, groups, seed)
    classes = tuple(
        ClassScore(
            name,
            int(images[i]),
            measure(scores["precision"], i),
            measure(scores["recall"], i),
            measure(scores["f1"], i),
        )
        for i, name in enumerate(names)
    )
    of_true = probabilities[np.arange(len(labels)), labels]
    hardest = tuple(
        HardCase(
            paths[i], names[labels[i]], names[predicted[i]], float(of_true[i]), float(probabilities[i, predicted[i]])
        )
        for i in np.argsort(of_true, kind="stable")[:HARDEST]
    )
    return Evaluation(
        subset=subset,
        images=len(labels),
        measures={name: measure(interval, 0) for name, interval in measures.items()},
        classes=classes,
        confusion=tuple(confusions(labels, predicted)),
        hardest=hardest,
        reliability=tuple(reliability(probabilities, labels)),
        bundle=bundle,
        split=split,
        notes=notes,
    )


def _bootstrapped(
    probabilities: Array, uncalibrated: Array, labels: NDArray[np.int64], groups: NDArray[np.int64], seed: int
) -> tuple[dict[str, Interval], dict[str, Interval]]:
    """Measures, of one value each, and the scores of every class."""
    rng = np.random.default_rng(seed)
    classes = probabilities.shape[1]
    _, group = np.unique(groups, return_inverse=True)
    number = int(group.max()) + 1
    point, point_counts = _weighted(probabilities, uncalibrated, labels, np.ones((1, len(labels))))
    samples: list[dict[str, Array]] = []
    scores: list[dict[str, Array]] = []
    chunk = max(1, _CELLS // max(classes, len(labels)))
    for start in range(0, RESAMPLES, chunk):
        drawn = rng.multinomial(number, np.full(number, 1 / number), size=min(chunk, RESAMPLES - start))
        sample, counts = _weighted(probabilities, uncalibrated, labels, drawn[:, group].astype(np.float64))
        samples.append(sample)
        scores.append(_defined_scores(counts))

    measures = {}
    for name, value in point.items():
        resampled = np.concatenate([sample[name] for sample in samples])
        low, high = np.quantile(resampled, [0.025, 0.975])
        if name.startswith("ece"):
            # Noise never cancels in a sum of absolute gaps, and a resample has it twice: move the interval back.
            excess = resampled.mean() - value[0]
            low, high = max(low - excess, 0.0), high - excess
        interval = Interval(value, np.array([low]), np.array([high]))
        measures[name] = interval if name in NO_SHARES else widened(interval, np.array([number]))
    predicted = probabilities.argmax(axis=1)
    answered, of_class = (_groups_of_each(which, group, classes) for which in (predicted, labels))
    evidence = {"precision": answered, "recall": of_class, "f1": (answered + of_class) / 2}
    values = dict(zip(CLASS_SCORES, (score[0] for score in class_scores(point_counts)), strict=True))
    intervals = {}
    for kind in CLASS_SCORES:
        resampled = np.concatenate([score[kind] for score in scores])
        resampled = np.where(np.isnan(resampled).all(axis=0), values[kind], resampled)
        low, high = np.nanquantile(resampled, [0.025, 0.975], axis=0)
        intervals[kind] = widened(Interval(values[kind], low, high), evidence[kind])
    return measures, intervals


def _groups_of_each(which: NDArray[np.int64], group: NDArray[np.int64], classes: int) -> Array:
    """Different groups among the images of each class, ``(classes,)``."""
    pairs = np.unique(np.stack([which, group]), axis=1)
    return np.bincount(pairs[0], minlength=classes).astype(np.float64)


def _weighted(
    probabilities: Array, uncalibrated: Array, labels: NDArray[np.int64], weights: Array
) -> tuple[dict[str, Array], Counts]:
    """Every measure and class's counts under each row of `weights`, ``(m, n)``: how often an image counts."""
    classes, predicted = probabilities.shape[1], probabilities.argmax(axis=1)
    counts = counted(labels, predicted, classes, weights)
    measures = class_measures(counts)
    total = weights.sum(axis=1)
    right = (predicted == labels).astype(np.float64)
    if classes > 5:
        measures["top5"] = weights @ top_k_hits(probabilities, labels, 5) / total
    measures["log_loss"] = weights @ log_losses(probabilities, labels) / total
    measures["ece"] = calibration_error(probabilities.max(axis=1), right, weights)
    measures["ece_uncalibrated"] = calibration_error(uncalibrated.max(axis=1), right, weights)
    return measures, counts


def _defined_scores(counts: Counts) -> dict[str, Array]:
    """Scores of each class in each resample, ``(m, classes)``; NaN where the resample has nothing to score."""
    answered, of_class = counts.predicted, counts.actual
    there = {"precision": answered > 0, "recall": of_class > 0, "f1": answered + of_class > 0}
    scores = zip(CLASS_SCORES, class_scores(counts), strict=True)
    return {kind: np.where(there[kind], score, np.nan) for kind, score in scores}
