"""scikit-learn's digits, their pixels as features, with labels that were made wrong."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from some_records import index

from linne.audit.judged import Judged, judge
from linne.records.findings import Finding
from linne.records.index import Index

DIGITS = load_digits()
FEATURES = (DIGITS.data / 16).astype(np.float32)
TRUTH = DIGITS.target.astype(np.int32)
ROWS = len(TRUTH)
ALONE = np.arange(ROWS)


def of_labels(label: np.ndarray, classes: int = 10) -> Index:
    return index([f"{row}.png" for row in range(len(label))], tuple(map(str, range(classes))), label=label.tolist())


def flipped(share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a share was moved to another class, and the rows that were."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(ROWS, round(share * ROWS), replace=False))
    labels = TRUTH.copy()
    labels[rows] = (labels[rows] + rng.integers(1, 10, len(rows))) % 10
    return labels, rows


def judged(labels: np.ndarray, classes: int = 10, groups: np.ndarray = ALONE, seed: int = 0) -> Judged:
    found = judge(of_labels(labels, classes), FEATURES, np.ones(ROWS, bool), groups, seed)
    assert found is not None
    return found


def row_of(finding: Finding) -> int:
    return int(finding.path.removesuffix(".png"))
