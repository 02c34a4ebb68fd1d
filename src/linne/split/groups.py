"""Which images must stay together?"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from linne.records.errors import DataError
from linne.records.index import Index


def groups_by_name(index: Index, pattern: str) -> NDArray[np.int64]:
    r"""Group images whose file names match `pattern` with the same captured text.

    Parameters
    ----------
    index : Index
    pattern : str
        Regular expression, searched in the file's name; its groups, or else all that matched, are the key:
        ``(patient\d+)_`` keeps ``patient7_a.png`` and ``patient7_b.png`` together.

    Returns
    -------
    (n,) int64 array
        A name that does not match is a group of its own.

    Raises
    ------
    DataError
        The pattern is no regular expression, or matches no name.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise DataError("is no regular expression", value=f"--group-by {pattern!r}: {error}") from error
    keys: dict[object, int] = {}
    group = np.empty(len(index), np.int64)
    matched = False
    for row, path in enumerate(index.paths.to_pylist()):
        match = compiled.search(path.rsplit("/", 1)[-1])
        captured = (match.groups() or (match[0],)) if match else ()
        named = any(captured)  # a pattern that can match nothing at all names no group
        matched = matched or named
        group[row] = keys.setdefault(captured if named else row, len(keys))
    if not matched:
        raise DataError(
            "matches no file name", file=index.root, value=f"--group-by {pattern!r}", remedy="try it on one of them"
        )
    return group


def join_groups(one: NDArray[np.int64], two: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join two groupings ``(n,)``: rows together in either are together in the result."""
    rows = len(one)
    nodes = rows + int(one.max(initial=-1)) + 1 + int(two.max(initial=-1)) + 1
    ends = np.concatenate([rows + one, rows + int(one.max(initial=-1)) + 1 + two])
    starts = np.concatenate([np.arange(rows), np.arange(rows)])
    graph = coo_array((np.ones(len(starts), bool), (starts, ends)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return np.unique(component[:rows], return_inverse=True)[1].astype(np.int64)
