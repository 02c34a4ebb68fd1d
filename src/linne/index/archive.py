"""Members of archives, gathered flat, and indexed by the folders in their names."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.index.by_folder import LOOSE, meaning_of
from linne.index.labelled import Labels, as_index
from linne.records.contained import Contained
from linne.records.containers import Container
from linne.records.index import NONE, Index, large_strings
from linne.records.set_aside import SetAside

CHUNK = 1 << 16


class Members:
    """Images in archives: a few arrays, and names that go into Arrow as they come."""

    def __init__(self) -> None:
        self.aside: list[SetAside] = []
        self._chunks: list[pa.Array] = []
        self._names: list[str] = []
        self._numbers = array("q")  # container, offset, stored, size of one member after the other

    def add(self, name: str, container: int, offset: int, stored: int, size: int) -> None:
        """Take one image; `name` is its path below the index's root, `container` a position."""
        self._names.append(name)
        self._numbers.extend((container, offset, stored, size))
        if len(self._names) == CHUNK:
            self._flush()

    def paths(self) -> pa.Array:
        """All names."""
        self._flush()
        return pa.concat_arrays(self._chunks)

    def columns(self) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Container, offset, stored and size of all."""
        table = np.frombuffer(self._numbers, np.int64).reshape(-1, 4) if self._numbers else np.empty((0, 4), np.int64)
        container, offset, stored, size = (column.copy() for column in table.T)
        return container.astype(np.int32), offset, stored, size

    def _flush(self) -> None:
        self._chunks.append(large_strings(self._names))
        self._names = []


def index_by_folder(
    source: Path, found: Members, containers: Sequence[Container], subsets: Sequence[int] = ()
) -> Index:
    """Index members by the class folders in their names; `subsets` of containers take the place of subset folders."""
    paths = found.paths()
    container, offset, stored, size = found.columns()
    folders: dict[str, int] = {}
    code = np.empty(len(paths), np.int64)
    start = 0
    for chunk in (paths[i : i + CHUNK].to_pylist() for i in range(0, len(paths), CHUNK)):
        for row, path in enumerate(chunk, start):
            inside = containers[container[row]].path
            folder = path.removeprefix(f"{inside}/").rpartition("/")[0]
            code[row] = folders.setdefault(folder, len(folders))
        start += len(chunk)
    meaning = meaning_of(source, list(folders), archive=True)
    label, subset = meaning.label[code], meaning.subset[code]
    if any(which != NONE for which in subsets):
        subset = np.asarray(subsets, np.int8)[container]
    aside = [*found.aside, *(SetAside(path, LOOSE) for path in paths.filter(pa.array(label < 0)).to_pylist())]
    rows = np.flatnonzero(label >= 0)
    return as_index(
        source,
        str(source.resolve()),
        paths.take(pa.array(rows)),
        Labels(meaning.names, label[rows]),
        subset[rows],
        size[rows],
        aside,
        Contained(tuple(containers), container[rows], offset[rows], stored[rows]),
    )
