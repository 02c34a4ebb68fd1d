"""What an earlier audit has compared, so that the next one looks only for copies of what was added."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linne.audit.pairs import NO_PAIRS, Forest, Pairs, duplicate_groups
from linne.audit.turned import TURNED_LEFT, TURNED_RIGHT
from linne.records.atomic import replacing
from linne.records.fingerprint import of_arrays, sortable

COMPARING = 1
"""Version of how near copies are found; to be raised when what is found changes."""

MOST_GROWN = 1.5
"""Times as many images from which on all are compared anew: what is usual among them, by which embeddings are called
close, is another then."""


@dataclass(frozen=True)
class Known:
    """Near copies that are known already.

    Attributes
    ----------
    compared : (n,) bool array
        Rows of which every pair is known.
    pairs : Pairs
        Near copies among them.
    """

    compared: NDArray[np.bool_]
    pairs: Pairs

    @classmethod
    def nothing(cls, rows: int) -> Known:
        """Before the first comparison."""
        return cls(np.zeros(rows, bool), NO_PAIRS)

    def among(self, rows: NDArray[np.int64], forest: Forest) -> None:
        """Plant the pairs of which both are in `rows`, as places in there, ascending."""
        place = np.full(len(self.compared), -1)
        place[rows] = np.arange(len(rows))
        first, second = place[self.pairs.first], place[self.pairs.second]
        for kind in np.unique(self.pairs.kind).tolist():
            of_kind = (self.pairs.kind == kind) & (first >= 0) & (second >= 0)
            forest.add(first[of_kind], second[of_kind], self.pairs.score[of_kind], kind)


def remember(path: Path, digest: NDArray[np.uint8], readable: NDArray[np.bool_], pairs: Pairs) -> None:
    """Keep which files were compared, and what was found: the near copies of `pairs`.

    Raises
    ------
    WriteError
        It could not be written.
    """
    rows = np.flatnonzero(readable)
    near = ~pairs.exact
    arrays: dict[str, NDArray[Any]] = {
        "digest": digest[rows],
        "first": digest[pairs.first[near]],
        "second": digest[pairs.second[near]],
        "score": pairs.score[near],
        "kind": pairs.kind[near],
    }
    with replacing(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, check=np.array(of_arrays(*arrays.values())), **arrays)


def recall(path: Path, digest: NDArray[np.uint8], readable: NDArray[np.bool_]) -> Known:
    """Read what `remember` kept; nothing is known where it is not there, or damaged.

    Parameters
    ----------
    path : Path
    digest : (n, 16) uint8 array
        Of the files that there are now.
    readable : (n,) bool array

    Returns
    -------
    Known
        Pairs join groups only as far as needed, so where a member of a group is gone, the others count as new.
    """
    arrays, rows = _read(path), np.flatnonzero(readable)
    if arrays is None or len(rows) > MOST_GROWN * len(arrays["digest"]):
        return Known.nothing(len(digest))
    now, first_row = np.unique(sortable(digest[rows]), return_index=True)
    then, first, second = (sortable(arrays[name]) for name in ("digest", "first", "second"))
    ends = np.concatenate([first, second])
    there = np.isin(ends, now)
    names, place = np.unique(ends, return_inverse=True)
    one, two = np.split(place, 2)
    group = duplicate_groups(Pairs(one, two, arrays["score"], arrays["kind"]), len(names))
    torn = np.isin(group, group[place[~there]])
    compared = np.zeros(len(digest), bool)
    compared[rows] = np.isin(sortable(digest[rows]), then) & ~np.isin(sortable(digest[rows]), names[torn])
    whole = ~torn[one]
    row_of = rows[first_row[np.searchsorted(now, ends[np.concatenate([whole, whole])])]]
    a, b = np.split(row_of, 2)
    kind = arrays["kind"][whole]
    kind = np.where((a > b) & np.isin(kind, (TURNED_LEFT, TURNED_RIGHT)), TURNED_LEFT + TURNED_RIGHT - kind, kind)
    return Known(compared, Pairs(np.minimum(a, b), np.maximum(a, b), arrays["score"][whole], kind))


def _read(path: Path) -> dict[str, NDArray[Any]] | None:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    check = arrays.pop("check", None)
    return arrays if check is not None and str(check) == of_arrays(*arrays.values()) else None
