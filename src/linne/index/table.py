"""A table that names image files: which of them are there, and which label counts."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.index.columns import PATHS, SPLITS, Columns, find_column, find_labels, missing_column
from linne.index.csv_table import header_of, read_csv
from linne.index.label_columns import label_column
from linne.index.labelled import Labels, as_index
from linne.index.split_column import subset_column
from linne.records.errors import printable
from linne.records.index import Index, large_strings
from linne.records.set_aside import SetAside

CHUNK = 1 << 13
THREADS = 8
"""Not for the processor: a file server answers many questions at once."""

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
    paths, size, problems = _look_up(root, table[path])
    for row, problem in problems:
        aside.append(SetAside(paths[row] or source.name, problem))
    there = size > 0
    aside += [SetAside(paths[row], found.reason) for row in np.flatnonzero(there & found.missing)]
    rows = np.flatnonzero(there & ~found.missing)
    rows = rows[_named_once([paths[row] for row in rows], found.labels.take(rows), subset[rows], aside)]
    kept = large_strings([paths[row] for row in rows])
    return as_index(source, str(root), kept, found.labels.take(rows), subset[rows], size[rows], aside, layout=LAYOUT)


def _look_up(root: Path, column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int64], list[tuple[int, str]]]:
    """Give each path below the root, its file's size (0 where it cannot be used), and rows with why not."""
    column = column.cast(pa.large_string())
    starts = range(0, len(column), CHUNK)
    place = f"{root}/"
    with ThreadPoolExecutor(THREADS, thread_name_prefix="stat") as pool:
        parts = pool.map(
            lambda start: [_file(place, name) for name in column[start : start + CHUNK].to_pylist()], starts
        )
        paths: list[str] = []
        sizes: list[NDArray[np.int64]] = []
        problems: list[tuple[int, str]] = []
        for part in parts:
            problems += [(len(paths) + i, problem) for i, (_, _, problem) in enumerate(part) if problem]
            paths += [path for path, _, _ in part]
            sizes.append(np.fromiter((size for _, size, _ in part), np.int64, len(part)))
    return paths, np.concatenate([np.empty(0, np.int64), *sizes]), problems


def _file(place: str, name: str | None) -> tuple[str, int, str]:
    """Path below the table's folder, size, and what is wrong."""
    if not name:
        return "", 0, "a row names no file"
    path = posixpath.normpath(name).removeprefix(place)
    try:
        about = os.stat(os.path.join(place, path))
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        if "\\" in path:  # a table that was made on Windows
            return _file(place, path.replace("\\", "/"))
        return path, 0, f"cannot be read: {getattr(error, 'strerror', None) or 'no file can have this name'}"
    if not stat.S_ISREG(about.st_mode):
        return path, 0, "no regular file"
    return path, about.st_size, "" if about.st_size else "empty file"


def _named_once(paths: list[str], labels: Labels, subset: NDArray[np.int8], aside: list[SetAside]) -> NDArray[np.int64]:
    """Rows to keep: the first that names a file; none where labels differ, for no one knows which is right."""
    keep = np.ones(len(paths), np.bool_)
    codes = large_strings(paths).dictionary_encode().indices.to_numpy()
    again = np.flatnonzero(np.bincount(codes, minlength=1)[codes] > 1)
    groups: dict[int, list[int]] = {}
    for row in again.tolist():
        groups.setdefault(int(codes[row]), []).append(row)
    for rows in groups.values():
        keep[rows[1:]] = False
        meant = {_labels_at(labels, row) for row in rows}
        if len(meant) > 1:
            keep[rows] = False
            reason = f"is named with different labels: {_told(labels, meant)}"
            aside += [SetAside(paths[row], reason) for row in rows]
        else:
            elsewhere = len(set(subset[rows].tolist())) > 1
            reason = "is named again, in another subset" if elsewhere else "is named again"
            aside += [SetAside(paths[row], reason) for row in rows[1:]]
    return np.flatnonzero(keep)


def _labels_at(labels: Labels, row: int) -> tuple[int, ...]:
    if labels.ends is None:
        return (int(labels.codes[row]),)
    return tuple(sorted(set(labels.codes[labels.ends[row] : labels.ends[row + 1]].tolist())))


def _told(labels: Labels, meant: set[tuple[int, ...]]) -> str:
    return ", ".join(sorted(printable("+".join(labels.names[i] for i in each) or "none") for each in meant))
