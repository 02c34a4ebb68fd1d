"""Features in a file that other programs read; memory does not grow with the number of images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from linne.embed.one_pass import Passed
from linne.embed.store import Shelf
from linne.records.atomic import replacing
from linne.records.errors import WriteError
from linne.records.index import Index

CHUNK_BYTES = 64 * 2**20
"""Of features that are in memory at once."""

NO_OVERWRITE = "holds something else than features, and is left as it is"
KEY = b"linne.features"


class FeaturesFile(Protocol):
    """A file to write features to."""

    def write(self, index: Index, passed: Passed, shelf: Shelf) -> None:
        """Write the features of all readable images, in the index's order; `WriteError` if it cannot be."""


def features_file(path: Path) -> FeaturesFile:
    """Choose by the name's end; `WriteError` for another end, or where something else lies there."""
    match path.suffix.lower():
        case ".parquet":
            return _Parquet(path)
        case ".npy":
            return _Npy(path)
    raise WriteError("ends neither in .parquet nor in .npy", file=path, remedy="choose another --out")


class _Parquet:
    """Columns ``path``, ``class``, ``features`` (a list of one length)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists() and not _is_ours(path):
            raise WriteError(NO_OVERWRITE, file=path, remedy="choose another --out")

    def write(self, index: Index, passed: Passed, shelf: Shelf) -> None:
        with replacing(self._path) as part:
            writer = None
            try:
                for rows, values in _chunks(passed, shelf):
                    features = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
                    table = _names(index, rows).append_column("features", features)
                    table = table.replace_schema_metadata({KEY: b"1"})
                    writer = writer or pq.ParquetWriter(part, table.schema)
                    writer.write_table(table)
                if writer is None:
                    nothing = pa.array([], pa.list_(pa.float32()))
                    table = _names(index, np.empty(0, np.int64)).append_column("features", nothing)
                    writer = pq.ParquetWriter(part, table.replace_schema_metadata({KEY: b"1"}).schema)
            finally:
                if writer is not None:
                    writer.close()


class _Npy:
    """An array ``(images, features)`` of float32, and the images' paths and classes in a CSV."""

    def __init__(self, path: Path) -> None:
        self._path, self._names = path, path.with_suffix(".csv")
        for file in (path, self._names):
            if file.exists() and not (self._is_pair() if path.exists() else False):
                raise WriteError(NO_OVERWRITE, file=file, remedy="choose another --out")

    def _is_pair(self) -> bool:
        """Whether an earlier run wrote both files."""
        try:
            with self._names.open("rb") as names, self._path.open("rb") as array:
                return names.readline().strip() == b'"path","class"' and array.read(6) == b"\x93NUMPY"
        except OSError:
            return False

    def write(self, index: Index, passed: Passed, shelf: Shelf) -> None:
        readable = np.flatnonzero(passed.readable)
        # Both are whole before either takes its place. Written, not mapped: a full disk must be an error, not a signal.
        with replacing(self._names) as names, replacing(self._path) as part:
            pyarrow.csv.write_csv(_names(index, readable), names)
            with part.open("wb") as file:
                width = 0
                for _, values in _chunks(passed, shelf):
                    if not width:
                        width = values.shape[1]
                        _write_header(file, (len(readable), width))
                    file.write(np.ascontiguousarray(values).data)
                if not width:
                    _write_header(file, (0, 0))


def _write_header(file: BinaryIO, shape: tuple[int, int]) -> None:
    """Begin a .npy of float32."""
    facts = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float32)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, facts)


def _names(index: Index, rows: NDArray[np.int64]) -> pa.Table:
    """Paths and classes of some rows; no class where an image has none, and ``|`` between several."""
    label = index.label[rows]
    labels = pa.array(index.labels, pa.string())
    classes = labels.take(pa.array(label, mask=label < 0))
    if index.labels_of is not None:
        lists = index.labels_of.take(pa.array(rows))
        classes = pc.binary_join(pa.ListArray.from_arrays(lists.offsets, labels.take(lists.flatten())), "|")
    return pa.table({"path": index.paths.take(pa.array(rows)), "class": classes})


def _chunks(passed: Passed, shelf: Shelf) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Rows of readable images and their features, some at a time."""
    rows = np.flatnonzero(passed.readable)
    start, size = 0, 1
    while start < len(rows):
        chosen = rows[start : start + size]
        values = shelf.gather(passed.digest[chosen])["values"]
        yield chosen, values.astype(np.float32, copy=False)
        start += size
        size = max(1, CHUNK_BYTES // max(4 * values.shape[1], 1))


def _is_ours(path: Path) -> bool:
    try:
        return KEY in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowInvalid):
        return False
