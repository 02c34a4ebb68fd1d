"""Does the user's own split let copies of training images into validation or test?"""

from __future__ import annotations

from linne.audit.duplicates import Pairs
from linne.records.findings import Finding
from linne.records.index import NONE, SUBSETS, Index

CHECK = "leak"


def leaks(index: Index, pairs: Pairs) -> list[Finding]:
    """Tell each pair of copies that lies in two subsets of a supplied split."""
    findings = []
    for first, second, score in zip(pairs.first, pairs.second, pairs.score, strict=True):
        one, two = int(index.subset[first]), int(index.subset[second])
        if NONE in (one, two) or one == two:
            continue
        reason = f"a copy in {SUBSETS[two]} of an image in {SUBSETS[one]}"
        findings.append(
            Finding(
                CHECK, index.path(int(second)), float(score), reason, index.path(int(first)), "keep it in one subset"
            )
        )
    return findings
