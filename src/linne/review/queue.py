"""Which cases are shown, and in which order: filters and sorting over flat arrays, milliseconds for 100,000."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from linne.review.cases import Case

State = Literal["all", "open", "decided"]
Sort = Literal["found", "score", "path", "class"]
Test = Literal["all", "test", "other"]


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; an empty text asks for everything.

    Attributes
    ----------
    check, label, suggestion : str
        Exactly these.
    state : {'all', 'open', 'decided'}
    text : str
        Part of a path, in any case.
    test : {'all', 'test', 'other'}
        Cases with a test image, or without.
    sort : {'found', 'score', 'path', 'class'}
        As the audit lists them; the surest first; by path; by class, suggested class, and the surest first.
    """

    check: str = ""
    label: str = ""
    suggestion: str = ""
    state: State = "all"
    text: str = ""
    test: Test = "all"
    sort: Sort = "found"


class Queue:
    """Cases as columns.

    Parameters
    ----------
    cases : sequence of Case
    test : (n,) bool array
        Test images, by row of the index.

    Attributes
    ----------
    checks, labels : list of str
        In the order of their first case.
    suggestions : list of str
        Classes that are suggested.
    with_test : (cases,) bool array
    """

    def __init__(self, cases: Sequence[Case], test: NDArray[np.bool_]) -> None:
        self.checks = list(dict.fromkeys(check for case in cases for check in case.checks))
        place = {check: i for i, check in enumerate(self.checks)}
        self._asks = np.zeros((len(self.checks), len(cases)), np.bool_)
        for case in cases:
            for check in case.checks:
                self._asks[place[check], case.number] = True
        names = [name for case in cases for name in (case.label, case.suggestion)]
        self.labels = list(dict.fromkeys(names))
        code = {name: i for i, name in enumerate(self.labels)}
        self.label, self.suggestion = np.array([code[name] for name in names], np.int64).reshape(-1, 2).T
        self.suggestions = sorted({self.labels[i] for i in np.unique(self.suggestion)} - {""})
        self.with_test = np.array([any(row >= 0 and test[row] for row in case.rows) for case in cases], np.bool_)
        self._paths = pa.array(["\n".join(case.paths) for case in cases], pa.large_string())
        self._orders = self._sorted(np.array([case.score for case in cases], np.float64))

    def _sorted(self, score: NDArray[np.float64]) -> dict[str, NDArray[np.int64]]:
        found = np.arange(len(score))
        rank = np.argsort(np.argsort(np.array(self.labels, dtype=object))) if self.labels else found
        paths = pc.sort_indices(self._paths).to_numpy().astype(np.int64)
        by_class = np.lexsort((found, -score, rank[self.suggestion], rank[self.label]))
        return {"found": found, "score": np.lexsort((found, -score)), "path": paths, "class": by_class}

    def select(self, wanted: Filter, decided: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Give the numbers of the cases that a filter lets through, in its order."""
        shown = np.ones(len(decided), np.bool_)
        if wanted.check:
            shown &= self._asks[self.checks.index(wanted.check)] if wanted.check in self.checks else False
        for name, column in ((wanted.label, self.label), (wanted.suggestion, self.suggestion)):
            if name:
                shown &= column == (self.labels.index(name) if name in self.labels else -1)
        if wanted.state != "all":
            shown &= decided == (wanted.state == "decided")
        if wanted.test != "all":
            shown &= self.with_test == (wanted.test == "test")
        if wanted.text:
            shown &= pc.match_substring(self._paths, wanted.text, ignore_case=True).to_numpy(zero_copy_only=False)
        order = self._orders[wanted.sort]
        return order[shown[order]]

    def counts(self, decided: NDArray[np.bool_]) -> list[tuple[str, int, int]]:
        """Give each check with its cases, and how many of them are open."""
        totals, still = (np.count_nonzero(asks, axis=1) for asks in (self._asks, self._asks & ~decided))
        return list(zip(self.checks, totals.tolist(), still.tolist(), strict=True))
