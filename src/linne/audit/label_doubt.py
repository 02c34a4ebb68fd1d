"""Which labels are probably wrong?"""

from __future__ import annotations

import numpy as np

from linne.audit.alike_classes import are_alike
from linne.audit.confident_learning import prune_by_class
from linne.audit.judged import Judged
from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "label doubt"

MUCH_LIKELIER = 10.0
"""A label is doubted too where another class is so many times as likely: where few labels are wrong, confident
learning sees too few of them to estimate their number, and stops short (docs/rooms/audit.md)."""


def label_doubt(index: Index, judged: Judged) -> list[Finding]:
    """Tell the images whose label the others contradict; the score is one minus the probability of the label."""
    predicted = judged.predicted
    best = predicted.probability[:, 0]
    doubted = prune_by_class(predicted, judged.labels, judged.confident) | (best > MUCH_LIKELIER * predicted.given)
    doubted &= ~are_alike(judged.labels, predicted.top[:, 0], judged.alike)
    findings = []
    for i in np.flatnonzero(doubted):
        given, suggested = judged.names[judged.labels[i]], judged.names[predicted.top[i, 0]]
        findings.append(
            Finding(
                CHECK,
                index.path(int(judged.rows[i])),
                min(max(1 - float(predicted.given[i]), 0.0), 1.0),
                f"labelled {given}, looks like {suggested} ({best[i]:.2f} against {predicted.given[i]:.2f})",
                label=given,
                suggestion=suggested,
                remedy=f"look at it; if it shows {suggested}, relabel it",
            )
        )
    return findings
