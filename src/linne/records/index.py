"""What is there: one row an image, labels frozen by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from linne.records import fingerprint
from linne.records.contained import Contained
from linne.records.containers import Container
from linne.records.content import Content, FileContent
from linne.records.corrections import Corrections
from linne.records.parquet import read_table, write_table
from linne.records.set_aside import SetAside

SCHEMA = 2
SUBSETS = ("none", "train", "validation", "test")
NONE, TRAIN, VALIDATION, TEST = range(4)
UNKNOWN_SIZE = -1
"""Of an image in Parquet, which would have to be read for it, and of a file in a folder, which nobody has asked."""

_PLACES = ("container", "offset", "stored")


@dataclass(frozen=True)
class Index:
    """The images of a data set, flat: a million rows take about 100 MB.

    Attributes
    ----------
    root : str
        Absolute path of the folder that was read, of a table's folder, or of the one archive.
    labels : tuple of str
        Class names in natural order ("2" before "10"); a row's label is a position in here.
    paths : pyarrow.Array of large_string
        Paths below `root`, with ``/``, in the order in which they lie there; absolute ones where a table gives such.
        One inside a container goes on after the container's name.
    label : (n,) int32 array
        With several labels an image the first of them, -1 for none.
    subset : (n,) int8 array
        Position in `SUBSETS`: what the user's own split says, 0 where there is none.
    size : (n,) int64 array
        Bytes of the image when it was indexed; -1 where only the image itself, or its file, would tell.
    set_aside : tuple of SetAside
        What was found and left out, each with a reason.
    contained : Contained, optional
        Where rows lie in archives and tables; None where every image is a file of its own.
    labels_of : pyarrow.Array of list of int32, optional
        All labels of each row, in ascending order; None where every image has exactly one.
    corrections : Corrections, optional
        What a person's decisions changed, where the index came of a review; no part of the fingerprint.
    """

    root: str
    labels: tuple[str, ...]
    paths: pa.Array
    label: NDArray[np.int32]
    subset: NDArray[np.int8]
    size: NDArray[np.int64]
    set_aside: tuple[SetAside, ...] = ()
    contained: Contained | None = None
    labels_of: pa.Array | None = None
    corrections: Corrections | None = None

    def __len__(self) -> int:
        return len(self.label)

    def path(self, row: int) -> str:
        """Path of one row, below `root`."""
        return str(self.paths[row].as_py())

    def label_of(self, row: int) -> str:
        """Class of one row, or all of its classes, with commas between them; empty where it has none."""
        if self.labels_of is not None:
            return ", ".join(self.labels[label] for label in self.labels_of[row].as_py())
        label = int(self.label[row])
        return self.labels[label] if label >= 0 else ""

    def without_labels(self) -> Index:
        """Give the same images, of no class."""
        return replace(self, labels=(), label=np.full(len(self), -1, np.int32), labels_of=None)

    def content(self, row: int) -> Content:
        """The bytes of one row, not read yet."""
        path = self.path(row)
        if self.contained is None:
            return FileContent(Path(self.root, path))
        return self.contained.content(self.root, row, path, int(self.size[row]))

    def take(self, rows: NDArray[np.int64]) -> Index:
        """Give the index of some rows, in their order, with the same classes."""
        contained = self.contained
        if contained is not None:
            places = (contained.container[rows], contained.offset[rows], contained.stored[rows])
            contained = Contained(contained.containers, *places)
        return replace(
            self,
            paths=self.paths.take(pa.array(rows)),
            label=self.label[rows],
            subset=self.subset[rows],
            size=self.size[rows],
            contained=contained,
            labels_of=None if self.labels_of is None else self.labels_of.take(pa.array(rows)),
        )

    def row_of(self, path: str) -> int | None:
        """Find the row of a path."""
        row = pc.index(self.paths, pa.scalar(path, pa.large_string())).as_py()
        return None if row < 0 else int(row)

    @property
    def name(self) -> str:
        """What to call the data set: its folder's name, or that of its one archive without the suffix."""
        root = Path(self.root)
        archive = self.contained is not None and any(not inside.path for inside in self.contained.containers)
        return root.stem if archive else root.name

    def any_is_there(self, rows: NDArray[np.int64]) -> bool:
        """Whether the file of any of these rows is still where it was."""
        root = Path(self.root)
        if self.contained is None:
            return any((root / self.path(int(row))).is_file() for row in rows)
        places = self.contained.container[rows]
        files = (root / self.contained.containers[place].path for place in np.unique(places[places >= 0]))
        alone = (root / self.path(int(row)) for row in rows[places < 0])
        return any(file.is_file() for file in chain(files, alone))

    @property
    def supplied_split(self) -> bool:
        """Whether the user's folders say which images are for training and which for testing."""
        return bool((self.subset != NONE).any())

    def counts(self, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.int64]:
        """Images a class, ``(classes,)``; one with several labels counts for each, one without any for none."""
        label = self.label[rows]
        if self.labels_of is not None:
            chosen = self.labels_of.take(pa.array(np.arange(len(self))[rows]))
            label = chosen.flatten().to_numpy()
        return np.bincount(label[label >= 0], minlength=len(self.labels)).astype(np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of names, labels, subsets, known sizes, and of containers; the root's place does not matter.

        A file in a folder that was replaced under its name changes nothing here: its own digest tells.
        """
        columns: list[NDArray[Any]] = [*_characters(self.paths), self.label, self.subset, self.size]
        settings: list[Any] = [list(self.labels)]
        if self.labels_of is not None:
            columns += [self.labels_of.offsets.to_numpy(), self.labels_of.flatten().to_numpy()]
        if self.contained is not None:
            columns += [self.contained.container, self.contained.offset, self.contained.stored]
            settings += [[list(astuple(inside)) for inside in self.contained.containers]]
        return fingerprint.of_settings([*settings, fingerprint.of_arrays(*columns)])

    def write(self, path: Path) -> None:
        """Write as Parquet."""
        names = pa.array(self.label, mask=self.label < 0)
        columns = {
            "path": self.paths,
            "label": pa.array(self.label),
            "class": pa.DictionaryArray.from_arrays(names, pa.array(self.labels)),
            "subset": pa.array(self.subset),
            "size": pa.array(self.size),
        }
        aside = [[item.path, item.reason] for item in self.set_aside]
        facts: dict[str, Any] = {"root": self.root, "labels": list(self.labels), "set_aside": aside}
        if self.labels_of is not None:
            columns["labels_of"] = self.labels_of
        if self.contained is not None:
            columns |= {name: pa.array(getattr(self.contained, name)) for name in _PLACES}
            facts["containers"] = [list(astuple(inside)) for inside in self.contained.containers]
        if self.corrections is not None:
            facts["corrections"] = self.corrections.to_json()
        write_table(path, "index", SCHEMA, columns, facts)

    @classmethod
    def read(cls, path: Path) -> Index:
        """Read what `write` wrote; `RunError` if it cannot be."""
        table, facts = read_table(path, "index", SCHEMA)
        contained = labels_of = None
        if "containers" in facts:
            containers = tuple(Container(*inside) for inside in facts["containers"])
            contained = Contained(containers, *(table[name].to_numpy() for name in _PLACES))
        if "labels_of" in table.column_names:
            labels_of = table["labels_of"].combine_chunks()
        return cls(
            root=facts["root"],
            labels=tuple(facts["labels"]),
            paths=table["path"].combine_chunks(),
            label=table["label"].to_numpy(),
            subset=table["subset"].to_numpy(),
            size=table["size"].to_numpy(),
            set_aside=tuple(SetAside(*item) for item in facts["set_aside"]),
            contained=contained,
            labels_of=labels_of,
            corrections=Corrections.from_json(facts["corrections"]) if "corrections" in facts else None,
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
