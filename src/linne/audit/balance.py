"""Are there classes with too few images, or far fewer than others?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.widespread import FAULTS, FEW
from linne.records.findings import Finding
from linne.records.index import Index

SMALL = "small class"
IMBALANCE = "imbalance"

FEW_IMAGES = 20
"""Below this a class's own scores are mostly chance: at 20 images, a 95% interval of recall spans 0.4."""

LARGE_RATIO = 10.0


def balance(index: Index, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell of classes with fewer than 20 readable images, and of a largest class over ten times the smallest."""
    if not index.labels:
        return []
    counts = index.counts(np.flatnonzero(readable))
    findings = _small(index, counts)
    least, most = int(counts.argmin()), int(counts.argmax())
    if counts[most] > LARGE_RATIO * max(counts[least], 1):
        findings.append(
            Finding(
                IMBALANCE,
                "",
                1 - float(counts[least] / counts[most]),
                f"{index.labels[most]} has {counts[most]} images, {index.labels[least]} {counts[least]}",
                label=index.labels[least],
                remedy="add images of the small class; read macro scores, not accuracy",
                images=int(counts[least]),
            )
        )
    return findings


def _small(index: Index, counts: NDArray[np.int64]) -> list[Finding]:
    """Tell each small class, or where most of many classes are small, the set as a whole."""
    small = np.flatnonzero(counts < FEW_IMAGES)
    remedy = "add images, or merge the class with another"
    if len(small) > max(FEW, FAULTS * len(counts)):
        what = f"{len(small)} of {len(counts)} classes have fewer than {FEW_IMAGES} readable images"
        score = float(np.mean(1 - counts[small] / FEW_IMAGES))
        return [Finding(SMALL, "", score, what, remedy=remedy, images=int(counts[small].sum()))]
    return [
        Finding(
            SMALL,
            "",
            1 - count / FEW_IMAGES,
            f"{index.labels[label]} has {count} readable image{'s' * (count != 1)}",
            label=index.labels[label],
            remedy=remedy,
            images=count,
        )
        for label, count in zip(small.tolist(), counts[small].tolist(), strict=True)
    ]
