"""Which labels are probably wrong?

Confident learning (Northcutt, Jiang, Chuang: "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR
2021), by cleanlab.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.out_of_fold import FOLDS
from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "label doubt"

FEWEST_IMAGES = 10
"""A class with fewer images is left out: too few to say what it looks like."""

MUCH_LIKELIER = 10.0
"""A label is doubted too where another class is so many times as likely: where few labels are wrong, confident
learning sees too few of them to estimate their number, and stops short (docs/rooms/audit.md)."""


def label_doubt(index: Index, rows: NDArray[np.int64], probabilities: NDArray[np.float32]) -> list[Finding]:
    """Images whose label the out-of-fold probabilities contradict.

    Parameters
    ----------
    index : Index
    rows : (m,) int64 array
        Rows of the index that were predicted.
    probabilities : (m, classes) float32 array
        Out of fold, over all classes of the index.

    Returns
    -------
    list of Finding
        Score: one minus the probability of the given label.
    """
    from cleanlab.filter import find_label_issues

    labels = index.label[rows]
    present = np.unique(labels)
    if len(present) < 2:
        return []
    position = np.full(len(index.labels), -1)
    position[present] = np.arange(len(present))
    kept = probabilities[:, present].astype(np.float64) + 1e-9
    kept /= kept.sum(axis=1, keepdims=True)
    issues = find_label_issues(position[labels], kept, filter_by="prune_by_class", n_jobs=1)
    issues |= kept.max(axis=1) > MUCH_LIKELIER * kept[np.arange(len(labels)), position[labels]]
    findings = []
    for i in np.flatnonzero(issues):
        best = int(kept[i].argmax())
        given = index.labels[labels[i]]
        suggested = index.labels[present[best]]
        doubt = 1 - float(kept[i, position[labels[i]]])
        findings.append(
            Finding(
                CHECK,
                index.path(int(rows[i])),
                min(max(doubt, 0.0), 1.0),
                f"labelled {given}, looks like {suggested} ({kept[i, best]:.2f} against {1 - doubt:.2f})",
                label=given,
                suggestion=suggested,
                remedy=f"look at it; if it shows {suggested}, relabel it",
            )
        )
    return findings


def can_be_doubted(index: Index, readable: NDArray[np.bool_], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of classes with enough distinct images to judge their labels."""
    enough = [
        label
        for label in range(len(index.labels))
        if len(np.unique(groups[readable & (index.label == label)])) >= max(FEWEST_IMAGES, FOLDS)
    ]
    return np.flatnonzero(readable & np.isin(index.label, enough))
