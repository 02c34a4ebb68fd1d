"""From names of classes to an index: labels in natural order, and what no classifier can be made of is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.index.names import natural_key
from linne.records.contained import Contained
from linne.records.errors import DataError, printable
from linne.records.index import NONE, TRAIN, Index
from linne.records.set_aside import SetAside

LAYOUT = "put the images of each class in a folder of its own: photos/cat/1.jpg, photos/dog/1.jpg"
NO_LABEL = "has no label"
LISTED = 10


@dataclass(frozen=True)
class Labels:
    """The class of each row, or its classes.

    Attributes
    ----------
    names : sequence of str
        Of classes, in any order; what no row has is left out of the index.
    codes : (n,) int32 array
        Positions in `names`; with several labels a row, those of all rows one after the other.
    ends : (n + 1,) int32 array, optional
        With several labels a row: where those of each row begin and end in `codes`.
    """

    names: Sequence[str]
    codes: NDArray[np.int32]
    ends: NDArray[np.int32] | None = None

    def take(self, rows: NDArray[np.int64]) -> Labels:
        """Give the labels of some rows, in their order."""
        if self.ends is None:
            return Labels(self.names, self.codes[rows])
        listed = pa.ListArray.from_arrays(pa.array(self.ends), pa.array(self.codes)).take(pa.array(rows))
        return Labels(self.names, listed.flatten().to_numpy(), listed.offsets.to_numpy())


def as_index(
    source: Path,
    root: str,
    paths: pa.Array,
    labels: Labels,
    subset: NDArray[np.int8],
    size: NDArray[np.int64],
    aside: Sequence[SetAside],
    contained: Contained | None = None,
    layout: str = LAYOUT,
) -> Index:
    """Make an index of flat columns.

    Parameters
    ----------
    source : Path
        What errors name.
    layout : str
        How such data should lie: the remedy where nothing was found.

    Raises
    ------
    DataError
        No images, one class only, or a class that train does not have.
    """
    if not len(paths):
        reasons = Counter(item.reason for item in aside)
        found = "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common(3))
        raise DataError("no images with a label found", file=source, value=found or None, remedy=layout)
    used = np.bincount(labels.codes, minlength=len(labels.names)) > 0
    named = {labels.names[i]: i for i in np.flatnonzero(used).tolist()}
    ordered = sorted(named, key=natural_key)
    position = np.full(len(labels.names), -1, np.int32)
    position[[named[name] for name in ordered]] = np.arange(len(ordered), dtype=np.int32)
    codes = position[labels.codes]
    _refuse_unusable(source, ordered, codes, subset, labels.ends, layout)
    listed = None if labels.ends is None else _sorted_lists(labels.ends, codes)
    return Index(
        root=root,
        labels=tuple(ordered),
        paths=paths,
        label=codes if listed is None else _first(listed),
        subset=subset,
        size=size,
        set_aside=tuple(aside),
        contained=contained,
        labels_of=listed,
    )


def refuse_half_a_split(source: Path, named: Sequence[str], others: Sequence[str]) -> None:
    """Raise where two names speak of subsets, but there is no train, or there are others besides."""
    besides = f"other names besides: {_listed(others)}" if others else "no train"
    raise DataError(
        f"has {_listed(named)}, and {besides}",
        file=source,
        remedy="a split has train, validation and test and nothing else; rename them if they are classes",
    )


def _refuse_unusable(
    source: Path,
    names: list[str],
    codes: NDArray[np.int32],
    subset: NDArray[np.int8],
    ends: NDArray[np.int32] | None,
    layout: str,
) -> None:
    if len(names) < 2 and ends is None:
        remedy = (
            f"{layout}; if {printable(names[0])} holds the classes, give that folder" if layout == LAYOUT else layout
        )
        raise DataError("one class only, and a classifier needs two", file=source, value=names[0], remedy=remedy)
    of_codes = subset if ends is None else np.repeat(subset, np.diff(ends))
    trained = np.bincount(codes[np.isin(of_codes, (NONE, TRAIN))], minlength=len(names)) > 0
    unknown = [names[i] for i in np.flatnonzero(~trained)]
    if unknown:
        raise DataError(
            "classes that train does not have",
            file=source,
            value=_listed(unknown),
            remedy="name the classes alike in train, validation and test",
        )


def _sorted_lists(ends: NDArray[np.int32], codes: NDArray[np.int32]) -> pa.Array:
    """Lists of labels, each in ascending order and each label once."""
    rows = np.repeat(np.arange(len(ends) - 1, dtype=np.int64), np.diff(ends))
    pairs = np.unique((rows << 32) | codes)
    counts = np.bincount(pairs >> 32, minlength=len(ends) - 1)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array((pairs & 0xFFFFFFFF).astype(np.int32)))


def _first(listed: pa.Array) -> NDArray[np.int32]:
    """First label of each list, -1 for an empty one."""
    offsets, values = listed.offsets.to_numpy(), listed.flatten().to_numpy()
    first = np.full(len(listed), -1, np.int32)
    some = np.diff(offsets) > 0
    first[some] = values[offsets[:-1][some]]
    return first


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(map(printable, names[:LISTED])) + more
