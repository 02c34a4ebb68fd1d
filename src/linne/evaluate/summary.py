"""Probabilities and labels to an `Evaluation`: each number with a 95% bootstrap interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.evaluate.calibration import calibration_error, reliability
from linne.evaluate.metrics import class_scores, confusion_matrix, confusion_measures, log_losses, top_k_hits
from linne.records.evaluation import ClassScore, Evaluation, HardCase, Measure

RESAMPLES = 1000
HARDEST = 24
_CELLS = 1 << 22
"""Cells of confusion matrices, or weights of images, held at a time, so that memory stays flat."""

Array = NDArray[np.float64]


def summarise(
    probabilities: Array,
    uncalibrated: Array,
    labels: NDArray[np.int64],
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
    confusion = confusion_matrix(labels, predicted, len(names))
    precision, recall, f1 = class_scores(confusion)
    classes = tuple(
        ClassScore(name, int(confusion[i].sum()), float(precision[i]), float(recall[i]), float(f1[i]))
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
        measures=_measures(probabilities, uncalibrated, labels, len(names), seed),
        classes=classes,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        hardest=hardest,
        reliability=tuple(reliability(probabilities, labels)),
        bundle=bundle,
        split=split,
        notes=notes,
    )


def _measures(
    probabilities: Array, uncalibrated: Array, labels: NDArray[np.int64], classes: int, seed: int
) -> dict[str, Measure]:
    rng = np.random.default_rng(seed)
    everything = np.ones((1, len(labels)))
    values = _weighted(probabilities, uncalibrated, labels, classes, everything)
    samples: list[dict[str, Array]] = []
    chunk = max(1, _CELLS // max(classes**2, len(labels)))
    for start in range(0, RESAMPLES, chunk):
        number = min(chunk, RESAMPLES - start)
        weights = rng.multinomial(len(labels), np.full(len(labels), 1 / len(labels)), size=number)
        samples.append(_weighted(probabilities, uncalibrated, labels, classes, weights.astype(np.float64)))
    measures = {}
    for name, value in values.items():
        resampled = np.concatenate([sample[name] for sample in samples])
        low, high = np.quantile(resampled, [0.025, 0.975])
        if name.startswith("ece"):
            # Noise never cancels in a sum of absolute gaps, and a resample has it twice: move the interval back.
            excess = resampled.mean() - value[0]
            low, high = max(low - excess, 0.0), high - excess
        measures[name] = Measure(float(value[0]), float(low), float(high))
    return measures


def _weighted(
    probabilities: Array, uncalibrated: Array, labels: NDArray[np.int64], classes: int, weights: Array
) -> dict[str, Array]:
    """Every measure under each row of `weights`, ``(m, n)``: how often an image is in a resample."""
    predicted = probabilities.argmax(axis=1)
    cell = labels * classes + predicted
    counts = np.stack([np.bincount(cell, row, classes * classes) for row in weights])
    measures = confusion_measures(counts.reshape(-1, classes, classes))
    total = weights.sum(axis=1)
    right = (predicted == labels).astype(np.float64)
    if classes > 5:
        measures["top5"] = weights @ top_k_hits(probabilities, labels, 5) / total
    measures["log_loss"] = weights @ log_losses(probabilities, labels) / total
    measures["ece"] = calibration_error(probabilities.max(axis=1), right, weights)
    measures["ece_uncalibrated"] = calibration_error(uncalibrated.max(axis=1), right, weights)
    return measures
