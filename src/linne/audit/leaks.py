"""Does the user's own split let copies, or images that belong together, into two subsets?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from linne.audit.pairs import Pairs, duplicate_groups
from linne.records.findings import Finding
from linne.records.index import NONE, SUBSETS, Index

CHECK = "leak"


def leaks(index: Index, pairs: Pairs) -> list[Finding]:
    """Tell each image that has a copy in an earlier subset of a supplied split.

    All copies of a group count, not only those that `pairs` names; the score is that of the image's likeliest pair.
    """
    score = np.zeros(len(index), np.float32)
    for ends in (pairs.first, pairs.second):
        np.maximum.at(score, ends, pairs.score)
    return [
        Finding(
            CHECK,
            index.path(row),
            float(score[row]),
            f"a copy in {SUBSETS[index.subset[row]]} of an image in {SUBSETS[index.subset[other]]}",
            index.path(other),
            label=index.label_of(row),
            remedy="keep it in one subset",
        )
        for row, other in _torn_apart(index, duplicate_groups(pairs, len(index)))
    ]


def group_leaks(index: Index, groups: NDArray[np.int64]) -> list[Finding]:
    """Tell each image whose group ``(n,)``, which the user named, has images in an earlier subset, too."""
    return [
        Finding(
            CHECK,
            index.path(row),
            1.0,
            f"in {SUBSETS[index.subset[row]]}, and belongs to an image in {SUBSETS[index.subset[other]]} by its name",
            index.path(other),
            label=index.label_of(row),
            remedy="keep it in one subset",
        )
        for row, other in _torn_apart(index, groups)
    ]


def _torn_apart(index: Index, groups: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Each row whose group lies in an earlier subset (train, validation, test) too, and the first row there."""
    placed = np.flatnonzero(index.subset != NONE)
    order = placed[np.lexsort((placed, index.subset[placed], groups[placed]))]
    _, starts = np.unique(groups[order], return_index=True)
    for members in np.split(order, starts[1:]) if len(order) else []:
        first = int(members[0])
        for row in members[index.subset[members] != index.subset[first]].tolist():
            yield row, first
