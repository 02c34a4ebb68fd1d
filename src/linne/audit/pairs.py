"""Pairs of images that are the same, and the groups that they join."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

EXACT = -1
EDITED = -2
"""Kinds of pairs beside the ways of `linne.audit.turned.TURNS`, which are 0 and up."""

_MOST = 1 << 18
"""Pairs held before they are reduced to those that join groups."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows, the earlier row first.

    Attributes
    ----------
    first, second : (m,) int64 array
    score : (m,) float32 array
        1 for exact copies, else how alike they are.
    kind : (m,) int8 array
        `EXACT`, `EDITED`, or in which of `TURNS` the second looks like the first.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: NDArray[np.float32]
    kind: NDArray[np.int8]

    @property
    def exact(self) -> NDArray[np.bool_]:
        """``(m,)``: which are copies byte for byte."""
        return np.asarray(self.kind == EXACT)

    def and_those_of(self, other: Pairs) -> Pairs:
        """These pairs, then the others."""
        return Pairs(
            np.concatenate([self.first, other.first]),
            np.concatenate([self.second, other.second]),
            np.concatenate([self.score, other.score]),
            np.concatenate([self.kind, other.kind]),
        )


NO_PAIRS = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int8))


class Forest:
    """The likeliest pairs that join each group: a thousand frames of a still scene are 999 pairs, not 499,500.

    Parameters
    ----------
    rows : int
        How many there are.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._kept, self._new = NO_PAIRS, [NO_PAIRS]
        self._waiting = 0

    def add(self, first: NDArray[np.int64], second: NDArray[np.int64], score: NDArray[np.float32], kind: int) -> None:
        """Take pairs ``first < second`` of one kind; the same pair may come again."""
        if len(first):
            score = np.round(score, 5)  # the last digits depend on which picture came first
            self._new.append(Pairs(first, second, score.astype(np.float32), np.full(len(first), kind, np.int8)))
            self._waiting += len(first)
        if self._waiting >= _MOST:
            self._reduce()

    def pairs(self) -> Pairs:
        """Pairs, by their first row, then their second."""
        self._reduce()
        return self._kept

    def _reduce(self) -> None:
        every = self._kept
        for new in self._new:
            every = every.and_those_of(new)
        order = np.lexsort((-every.score, every.second, every.first))
        again = np.zeros(len(order), bool)
        again[1:] = (np.diff(every.first[order]) == 0) & (np.diff(every.second[order]) == 0)
        order = order[~again]
        # No two pairs weigh the same, so that the forest is one, whether its pairs came at once or one after the other.
        likeliest = np.lexsort((every.second[order], every.first[order], -every.score[order]))
        weight = np.empty(len(order))
        weight[likeliest] = np.arange(1, 1 + len(order))
        graph = coo_array((weight, (every.first[order], every.second[order])), shape=(self._rows, self._rows))
        one, two = minimum_spanning_tree(graph.tocsr()).tocoo().coords
        joined = np.sort(one.astype(np.int64) * self._rows + two)
        kept = order[np.isin(every.first[order] * self._rows + every.second[order], joined, assume_unique=True)]
        self._kept = Pairs(every.first[kept], every.second[kept], every.score[kept], every.kind[kept])
        self._new, self._waiting = [NO_PAIRS], 0


def duplicate_groups(pairs: Pairs, rows: int) -> NDArray[np.int64]:
    """Number the groups that pairs join: ``(rows,)``; a row without a copy is a group of its own."""
    graph = coo_array((np.ones(len(pairs.first), bool), (pairs.first, pairs.second)), shape=(rows, rows))
    _, group = connected_components(graph, directed=False)
    return np.asarray(group, np.int64)
