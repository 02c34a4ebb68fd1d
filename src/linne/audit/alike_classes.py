"""Are two classes one, under two names?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from linne.audit.out_of_fold import OutOfFold
from linne.records.findings import Finding

CHECK = "alike classes"

TOLD_APART = 0.7
"""Two classes are alike where the area under the ROC curve between them is surely below. At chance it is 0.5: what
halves of one class come to. Pairs of ten classes of clothes come to 0.85 and more with a fifth of the labels wrong."""

NEAREST = 3
"""Classes that each class is compared with, those most often among the likeliest three of its images."""

MOST_IMAGES = 1000
"""Of each class: enough for the area to two digits."""

AlikePairs = dict[tuple[int, int], float]
"""Pairs of classes, the one with fewer images first, and the area between them."""


def alike_pairs(predicted: OutOfFold, labels: NDArray[np.int32], seed: int) -> AlikePairs:
    """Find pairs of classes that a classifier tells apart little better than by chance."""
    rng = np.random.default_rng(seed)
    counts = np.bincount(labels)
    by_label = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
    members = [rng.permutation(rows)[:MOST_IMAGES] for rows in by_label]
    pairs: AlikePairs = {}
    for one, other in sorted(_nearest(predicted, members)):
        few, many = (other, one) if counts[other] < counts[one] else (one, other)
        area, error = _area(predicted, members[few], members[many], few, many)
        if area + 1.96 * error < TOLD_APART:
            pairs[few, many] = area
    return pairs


def alike_classes(names: tuple[str, ...], labels: NDArray[np.int32], pairs: AlikePairs) -> list[Finding]:
    """Tell these pairs; the score falls from 1 at chance to 0 where all images are told apart."""
    counts = np.bincount(labels)
    return [
        Finding(
            CHECK,
            "",
            float(np.clip(2 - 2 * area, 0, 1)),
            f"{names[few]} and {names[many]} look the same: of an image of each, the right one looks more like "
            f"{names[few]} in {area:.0%} of cases; at chance it is 50%",
            label=names[few],
            suggestion=names[many],
            remedy=f"if both are the same, merge {names[few]} into {names[many]}",
            images=int(counts[few]),
        )
        for (few, many), area in pairs.items()
    ]


def are_alike(labels: NDArray[np.int32], others: NDArray[np.int32], pairs: AlikePairs) -> NDArray[np.bool_]:
    """Whether each label and the class beside it are one of these pairs."""
    both = [pair for few, many in pairs for pair in ((few, many), (many, few))]
    codes = np.array(both, np.int64).reshape(-1, 2)
    wide = 1 + max(int(part.max(initial=0)) for part in (labels, others, codes))
    beside = np.isin(labels.astype(np.int64) * wide + others, codes[:, 0] * wide + codes[:, 1])
    return beside & (others >= 0)  # below it is no class, but doubt


def _nearest(predicted: OutOfFold, members: list[NDArray[np.int64]]) -> set[tuple[int, int]]:
    """Pairs of classes to compare, the smaller number first."""
    pairs = set()
    for label, rows in enumerate(members):
        beside, often = np.unique(predicted.top[rows, :NEAREST], return_counts=True)
        nearest = beside[np.argsort(-often, kind="stable")]
        pairs |= {(min(label, int(k)), max(label, int(k))) for k in nearest[nearest != label][:NEAREST]}
    return pairs


def _area(
    predicted: OutOfFold, ones: NDArray[np.int64], others: NDArray[np.int64], one: int, other: int
) -> tuple[float, float]:
    """Area under the ROC curve of the ratio of two classes, and its standard error.

    By ranks (Mann and Whitney), ties count half. What looks most like a third class is left out: it is filed wrong, and
    says nothing of these two.
    """
    ones, others = (rows[np.isin(predicted.top[rows, 0], (one, other))] for rows in (ones, others))
    if not len(ones) or not len(others):
        return 1.0, 0.0
    rows = np.concatenate([ones, others])
    top, probability = predicted.top[rows], predicted.probability[rows].astype(np.float64)
    of_one, of_other = (np.where(top == label, probability, 0).sum(axis=1) + 1e-9 for label in (one, other))
    ranks = rankdata(of_one / of_other)[: len(ones)]
    area = float((ranks.sum() - len(ones) * (len(ones) + 1) / 2) / (len(ones) * len(others)))
    return area, _standard_error(area, len(ones), len(others))


def _standard_error(area: float, ones: int, others: int) -> float:
    """Hanley and McNeil, "The Meaning and Use of the Area under a ROC Curve", Radiology 1982."""
    a = max(area, 0.5)
    one, other = a / (2 - a) - a**2, 2 * a**2 / (1 + a) - a**2
    return float(np.sqrt((a * (1 - a) + (ones - 1) * one + (others - 1) * other) / (ones * others)))
