"""A table that names image files: which of them are there, and which label counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.index.columns import PATHS, SPLITS, Columns, find_column, find_labels, missing_column
from linne.index.csv_table import header_of, read_csv
from linne.index.label_columns import label_column
from linne.index.labelled import Labels, as_index
from linne.index.listed_files import CHUNK, look_up
from linne.index.split_column import subset_column
from linne.records.errors import printable
from linne.records.index import Index
from linne.records.set_aside import SetAside

LAYOUT = "name each image by its path, absolute or below the table's folder, and give it a label"


def read_csv_table(source: Path, columns: Columns) -> Index:
    """Index the images that a CSV names.

    Raises
    ------
    DataError
        No such table, no such columns, or what `as_index` raises.
    """
    there, delimiter = header_of(source)
    path, labels, split = named_columns(source, there, columns)
    aside: list[SetAside] = []
    wanted = list(dict.fromkeys(name for name in (path, *labels, split) if name is not None))
    table = read_csv(source, wanted, delimiter, aside)
    return index_table(source, table, (path, labels, split), columns, (), aside)


def named_columns(source: Path, there: Sequence[str], columns: Columns) -> tuple[str, list[str], str | None]:
    """Give the columns of paths, of labels and of subsets."""
    path = find_column(source, there, columns.path, PATHS)
    if path is None:
        raise missing_column(source, there, "has no column of paths that is known by its name", "give --path-column")
    return path, find_labels(source, there, columns), find_column(source, there, columns.split, SPLITS)


def index_table(
    source: Path,
    table: pa.Table,
    named: tuple[str, list[str], str | None],
    columns: Columns,
    classes: Sequence[str],
    aside: list[SetAside],
) -> Index:
    """Index the files that a column names, with the labels of others; `named` is what `named_columns` gave."""
    path, labels, split = named
    found = label_column(source, [table[name] for name in labels], labels, columns.separator, classes)
    subset = subset_column(source, table, split, columns.split is not None)
    root = source.resolve().parent
    paths, size, problems = look_up(root, table[path])
    aside += [SetAside(paths[row].as_py() or source.name, problem) for row, problem in problems]
    there = size > 0
    aside += [SetAside(paths[row].as_py(), found.reason) for row in np.flatnonzero(there & found.missing).tolist()]
    rows = np.flatnonzero(there & ~found.missing)
    rows = rows[_named_once(paths.take(pa.array(rows)), found.labels.take(rows), subset[rows], aside)]
    kept = paths.take(pa.array(rows))
    return as_index(source, str(root), kept, found.labels.take(rows), subset[rows], size[rows], aside, layout=LAYOUT)


def _named_once(paths: pa.Array, labels: Labels, subset: NDArray[np.int8], aside: list[SetAside]) -> NDArray[np.int64]:
    """Rows to keep: the first that names a file; none where labels differ, for no one knows which is right."""
    keep = np.ones(len(paths), np.bool_)
    groups: dict[str, list[int]] = {}
    for row in _perhaps_again(paths).tolist():
        groups.setdefault(paths[row].as_py(), []).append(row)
    for rows in groups.values():
        if len(rows) == 1:
            continue
        keep[rows[1:]] = False
        meant = {_labels_at(labels, row) for row in rows}
        if len(meant) > 1:
            keep[rows] = False
            reason = f"is named with different labels: {_told(labels, meant)}"
            aside += [SetAside(paths[row].as_py(), reason) for row in rows]
        else:
            elsewhere = len(set(subset[rows].tolist())) > 1
            reason = "is named again, in another subset" if elsewhere else "is named again"
            aside += [SetAside(paths[row].as_py(), reason) for row in rows[1:]]
    return np.flatnonzero(keep)


def _perhaps_again(paths: pa.Array) -> NDArray[np.int64]:
    """Rows whose path has the hash of another's: a table of all the paths would take more than the index."""
    starts = range(0, len(paths), CHUNK)
    hashes = np.fromiter(
        (hash(path) for start in starts for path in paths[start : start + CHUNK].to_pylist()), np.int64, len(paths)
    )
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    return np.flatnonzero(counts[inverse] > 1)


def _labels_at(labels: Labels, row: int) -> tuple[int, ...]:
    if labels.ends is None:
        return (int(labels.codes[row]),)
    return tuple(sorted(set(labels.codes[labels.ends[row] : labels.ends[row + 1]].tolist())))


def _told(labels: Labels, meant: set[tuple[int, ...]]) -> str:
    return ", ".join(sorted(printable("+".join(labels.names[i] for i in each) or "none") for each in meant))
