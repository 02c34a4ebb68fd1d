"""Probabilities and sets of labels to an `Evaluation`: each number with a 95% bootstrap interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.evaluate.decisions import (
    Counts,
    average_precisions,
    binary_log_losses,
    decision_calibration_error,
    decision_measures,
    decision_reliability,
    gaps,
)
from linne.evaluate.intervals import RESAMPLES, Interval, measure, widened
from linne.evaluate.summary import HARDEST
from linne.records.evaluation import ClassScore, Evaluation, HardCase
from linne.records.truth import names_of

CELLS = 1 << 22
"""Weights of images held at a time, so that memory stays flat."""

RANKED_CELLS = 1e8
"""Images times classes times resamples of average precision; where there are more, it has fewer resamples."""

FEWEST_RESAMPLES = 100

CLASS_SCORES = ("precision", "recall", "f1", "average_precision")
NO_SHARES = frozenset({"log_loss", "ece", "ece_uncalibrated"})

Array = NDArray[np.float64]
Marks = NDArray[np.uint8]


def summarise_several_labels(
    probabilities: Array,
    uncalibrated: Array,
    thresholds: Array,
    truth: Marks,
    groups: NDArray[np.int64],
    paths: list[str],
    names: tuple[str, ...],
    subset: str,
    bundle: str,
    split: str,
    seed: int,
    notes: tuple[str, ...] = (),
) -> Evaluation:
    """Score a classifier of several labels an image on one subset.

    Parameters
    ----------
    probabilities, uncalibrated : (n, classes) array
        Of each class for itself, with the fitted temperature, and with temperature 1.
    thresholds : (classes,) array
        From which on a label is said.
    truth : (n, classes) array of 0 and 1
    groups, paths, names, subset, bundle, split, seed, notes
        As of `linne.evaluate.summary.summarise`.
    """
    said = probabilities >= thresholds
    scorer = _Scorer(probabilities, uncalibrated, said, truth)
    measures, scores = _bootstrapped(scorer, groups, seed)
    images = truth.sum(axis=0)
    classes = tuple(
        ClassScore(
            name,
            int(images[i]),
            **{kind: measure(scores[kind], i) for kind in CLASS_SCORES},
            threshold=float(thresholds[i]),
        )
        for i, name in enumerate(names)
    )
    return Evaluation(
        subset=subset,
        images=len(truth),
        measures={name: measure(interval, 0) for name, interval in measures.items()},
        classes=classes,
        confusion=(),
        hardest=_hardest(scorer, paths, names),
        reliability=tuple(decision_reliability(probabilities, truth)),
        bundle=bundle,
        split=split,
        notes=notes,
        task="multi",
    )


def ranked_cells(images: int, classes: int) -> int:
    """How many images, times classes, are ranked in all resamples for average precision."""
    return images * classes * _ranked_resamples(images, classes)


def _ranked_resamples(images: int, classes: int) -> int:
    return int(np.clip(RANKED_CELLS / (images * classes), FEWEST_RESAMPLES, RESAMPLES))


class _Scorer:
    """Every measure, and the scores of every class, under given weights ``(m, n)``: how often an image counts."""

    def __init__(self, probabilities: Array, uncalibrated: Array, said: NDArray[np.bool_], truth: Marks) -> None:
        self.probabilities, self.said, self.truth = probabilities, said, truth
        self.losses = binary_log_losses(probabilities, truth)
        self._gaps, self._uncalibrated = gaps(probabilities, truth), gaps(uncalibrated, truth)

    def __call__(self, weights: Array, ranked: int) -> tuple[dict[str, Array], dict[str, Array]]:
        """Give measures ``(m,)`` and class scores ``(m, classes)``; average precision under the first `ranked` only.

        A score of a class is NaN where a resample has nothing to score.
        """
        images, classes = weights.sum(axis=1), self.truth.shape[1]
        counts = Counts.of(self.said, self.truth, weights)
        precise = average_precisions(self.probabilities, self.truth, weights[:ranked])
        there = ~np.isnan(precise)
        mean = np.where(there, precise, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        measures = {"mean_average_precision": mean, **decision_measures(counts, self.said, self.truth, weights)}
        measures["log_loss"] = weights @ self.losses.mean(axis=1) / images
        measures["ece"] = decision_calibration_error(self._gaps, classes, weights)
        measures["ece_uncalibrated"] = decision_calibration_error(self._uncalibrated, classes, weights)
        scores = {
            "precision": np.where(counts.said > 0, counts.precision, np.nan),
            "recall": np.where(counts.actual > 0, counts.recall, np.nan),
            "f1": np.where(counts.actual + counts.said > 0, counts.f1, np.nan),
            "average_precision": precise,
        }
        return measures, scores


def _bootstrapped(
    scorer: _Scorer, groups: NDArray[np.int64], seed: int
) -> tuple[dict[str, Interval], dict[str, Interval]]:
    """Measures, of one value each, and the scores of every class."""
    rng = np.random.default_rng(seed)
    images, classes = scorer.truth.shape
    _, group = np.unique(groups, return_inverse=True)
    number = int(group.max()) + 1
    ranked = _ranked_resamples(images, classes)
    point, of_classes = scorer(np.ones((1, images)), 1)
    samples: list[tuple[dict[str, Array], dict[str, Array]]] = []
    chunk = max(1, CELLS // images)
    for start in range(0, RESAMPLES, chunk):
        drawn = rng.multinomial(number, np.full(number, 1 / number), size=min(chunk, RESAMPLES - start))
        samples.append(scorer(drawn[:, group].astype(np.float64), max(ranked - start, 0)))

    measures = {}
    for name, value in point.items():
        resampled = np.concatenate([sample[name] for sample, _ in samples])
        low, high = np.quantile(resampled, [0.025, 0.975])
        if name.startswith("ece"):
            # Noise never cancels in a sum of absolute gaps, and a resample has it twice: move the interval back.
            excess = resampled.mean() - value[0]
            low, high = max(low - excess, 0.0), high - excess
        interval = Interval(value, np.array([low]), np.array([high]))
        measures[name] = interval if name in NO_SHARES else widened(interval, np.array([number]))

    answered, actual = (_groups_of_each(marks, group) for marks in (scorer.said, scorer.truth > 0))
    evidence = {"precision": answered, "recall": actual, "f1": (answered + actual) / 2, "average_precision": actual}
    intervals = {}
    for kind in CLASS_SCORES:
        value = np.nan_to_num(of_classes[kind][0])
        resampled = np.concatenate([scores[kind] for _, scores in samples])
        resampled = np.where(np.isnan(resampled).all(axis=0), value, resampled)
        low, high = np.nanquantile(resampled, [0.025, 0.975], axis=0)
        intervals[kind] = widened(Interval(value, low, high), evidence[kind])
    return measures, intervals


def _groups_of_each(marks: NDArray[np.bool_], group: NDArray[np.int64]) -> Array:
    """Different groups among the images that are marked for each class, ``(classes,)``."""
    return np.array([len(np.unique(group[column])) for column in marks.T], np.float64)


def _hardest(scorer: _Scorer, paths: list[str], names: tuple[str, ...]) -> tuple[HardCase, ...]:
    """Images whose labels, all together, got the least probability."""
    losses = scorer.losses.sum(axis=1)
    answers = binary_log_losses(scorer.probabilities, scorer.said.astype(np.uint8)).sum(axis=1)
    cases = []
    for i in np.argsort(-losses, kind="stable")[:HARDEST].tolist():
        said, truth = scorer.said[i], scorer.truth[i] > 0
        cases.append(
            HardCase(
                paths[i],
                ", ".join(names_of(names, truth)),
                ", ".join(names_of(names, said)),
                float(np.exp(-losses[i])),
                float(np.exp(-answers[i])),
                names_of(names, truth & ~said),
                names_of(names, said & ~truth),
            )
        )
    return tuple(cases)
