"""Does the user's own split let copies, or images that belong together, into two subsets?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.duplicates import Pairs
from linne.records.findings import Finding
from linne.records.index import NONE, SUBSETS, Index

CHECK = "leak"


def leaks(index: Index, pairs: Pairs) -> list[Finding]:
    """Tell each pair of copies that lies in two subsets of a supplied split."""
    findings = []
    for first, second, score in zip(pairs.first, pairs.second, pairs.score, strict=True):
        one, two = sorted((int(index.subset[row]), int(row)) for row in (first, second))
        if NONE in (one[0], two[0]) or one[0] == two[0]:
            continue
        reason = f"a copy in {SUBSETS[two[0]]} of an image in {SUBSETS[one[0]]}"
        findings.append(
            Finding(CHECK, index.path(two[1]), float(score), reason, index.path(one[1]), "keep it in one subset")
        )
    return findings


def group_leaks(index: Index, groups: NDArray[np.int64]) -> list[Finding]:
    """Tell each group ``(n,)`` that the user named and that lies in several subsets of a supplied split."""
    placed = np.flatnonzero(index.subset != NONE)
    _, first = np.unique(np.stack([groups[placed], index.subset[placed]]), axis=1, return_index=True)
    by_group: dict[int, list[int]] = {}
    for row in placed[first].tolist():  # by group, then train before validation before test
        by_group.setdefault(int(groups[row]), []).append(row)
    findings = []
    for rows in by_group.values():
        for row in rows[1:]:
            one, two = SUBSETS[index.subset[rows[0]]], SUBSETS[index.subset[row]]
            reason = f"in {two}, and belongs to an image in {one} by its name"
            findings.append(Finding(CHECK, index.path(row), 1.0, reason, index.path(rows[0]), "keep it in one subset"))
    return findings
