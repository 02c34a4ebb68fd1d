"""What is there: one row an image, labels frozen by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from linne.records import fingerprint
from linne.records.content import Content, FileContent
from linne.records.parquet import read_table, write_table
from linne.records.set_aside import SetAside

SCHEMA = 1
SUBSETS = ("none", "train", "validation", "test")
NONE, TRAIN, VALIDATION, TEST = range(4)


@dataclass(frozen=True)
class Index:
    """The images of a folder, flat: a million rows take about 100 MB.

    Attributes
    ----------
    root : str
        Absolute path of the folder that was read.
    labels : tuple of str
        Class names in natural order ("2" before "10"); a row's label is a position in here.
    paths : pyarrow.Array of large_string
        Paths below `root`, with ``/``, folder by folder in sorted order.
    label : (n,) int32 array
    subset : (n,) int8 array
        Position in `SUBSETS`: what the user's own split says, 0 where there is none.
    size : (n,) int64 array
        Bytes of the file when it was indexed.
    set_aside : tuple of SetAside
        What was found and left out, each with a reason.
    """

    root: str
    labels: tuple[str, ...]
    paths: pa.Array
    label: NDArray[np.int32]
    subset: NDArray[np.int8]
    size: NDArray[np.int64]
    set_aside: tuple[SetAside, ...] = ()

    def __len__(self) -> int:
        return len(self.label)

    def path(self, row: int) -> str:
        """Path of one row, below `root`."""
        return str(self.paths[row].as_py())

    def content(self, row: int) -> Content:
        """The bytes of one row, not read yet."""
        return FileContent(Path(self.root, self.path(row)))

    def row_of(self, path: str) -> int | None:
        """Find the row of a path."""
        row = pc.index(self.paths, pa.scalar(path, pa.large_string())).as_py()
        return None if row < 0 else int(row)

    @property
    def supplied_split(self) -> bool:
        """Whether the user's folders say which images are for training and which for testing."""
        return bool((self.subset != NONE).any())

    def counts(self, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.int64]:
        """Images a class, ``(classes,)``."""
        return np.bincount(self.label[rows], minlength=len(self.labels)).astype(np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of names, labels, subsets and sizes; the root's place does not matter."""
        columns = (*_characters(self.paths), self.label, self.subset, self.size)
        return fingerprint.of_settings([list(self.labels), fingerprint.of_arrays(*columns)])

    def write(self, path: Path) -> None:
        """Write as Parquet."""
        columns = {
            "path": self.paths,
            "label": pa.array(self.label),
            "class": pa.DictionaryArray.from_arrays(pa.array(self.label), pa.array(self.labels)),
            "subset": pa.array(self.subset),
            "size": pa.array(self.size),
        }
        aside = [[item.path, item.reason] for item in self.set_aside]
        facts = {"root": self.root, "labels": list(self.labels), "set_aside": aside}
        write_table(path, "index", SCHEMA, columns, facts)

    @classmethod
    def read(cls, path: Path) -> Index:
        """Read what `write` wrote; `RunError` if it cannot be."""
        table, facts = read_table(path, "index", SCHEMA)
        return cls(
            root=facts["root"],
            labels=tuple(facts["labels"]),
            paths=table["path"].combine_chunks(),
            label=table["label"].to_numpy(),
            subset=table["subset"].to_numpy(),
            size=table["size"].to_numpy(),
            set_aside=tuple(SetAside(*item) for item in facts["set_aside"]),
        )


def large_strings(values: Sequence[str]) -> pa.Array:
    """An Arrow column of paths, which may pass 2 GB."""
    return pa.array(values, pa.large_string())


def _characters(column: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Ends of each string, and all their bytes: the column's own memory, not a million Python strings."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    if not len(column):
        return np.empty(0, np.int64), np.empty(0, np.uint8)
    return ends[1:] - ends[0], np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
