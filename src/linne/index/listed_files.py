"""Files that a table names: which of them are there?"""

from __future__ import annotations

import os
import posixpath
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.records.index import large_strings

CHUNK = 1 << 13
THREADS = 8
"""Not for the processor: a file server answers many questions at once."""

Problems = list[tuple[int, str]]


def look_up(root: Path, column: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64], Problems]:
    """Look for every file that a column names.

    Returns
    -------
    paths : pyarrow.Array of large_string
        Below the root, or absolute; empty where none is named.
    size : (n,) int64 array
        Bytes; 0 where the file cannot be used.
    problems : list of (int, str)
        Rows whose file cannot be used, and why.
    """
    column, place = column.cast(pa.large_string()), f"{root}/"

    def look(start: int) -> tuple[pa.Array, NDArray[np.int64], Problems]:
        looks = [_file(place, name) for name in column[start : start + CHUNK].to_pylist()]
        problems = [(start + i, problem) for i, (_, _, problem) in enumerate(looks) if problem]
        size = np.fromiter((size for _, size, _ in looks), np.int64, len(looks))
        return large_strings([path for path, _, _ in looks]), size, problems

    with ThreadPoolExecutor(THREADS, thread_name_prefix="stat") as pool:
        parts = [(large_strings([]), np.empty(0, np.int64), []), *pool.map(look, range(0, len(column), CHUNK))]
    paths, sizes, problems = zip(*parts, strict=True)
    return pa.concat_arrays(paths), np.concatenate(sizes), [problem for part in problems for problem in part]


def _file(place: str, name: str | None) -> tuple[str, int, str]:
    """Path below the root, size, and what is wrong."""
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
