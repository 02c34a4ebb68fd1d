"""The bytes of one image in a row of a Parquet or an Arrow file.

An Arrow file is mapped into memory: a row costs its own bytes. A Parquet file is read a row group at a time, and
the last groups are kept: cheap for readers that go in order, dear for those that jump.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

from linne.records.containers import Container, refuse_if_changed
from linne.records.content import MAX_BYTES
from linne.records.errors import ImageError

KEPT_BYTES = 512 << 20
"""Of Parquet row groups in memory; the last group is kept whatever its size."""

State = tuple[int, int, int]
Column = tuple[str, str]
"""Its name, and that of the field of its structs; empty where it holds bytes."""

Key = tuple[Path, State, Column, int]


@dataclass(frozen=True, slots=True)
class RowContent:
    """The bytes in one row of a table.

    Attributes
    ----------
    file : Path
    container : Container
        What is known of the file.
    member : str
        What to call the image within the file.
    row : int
    size : int
        Of the image; -1 where the index does not know.
    """

    file: Path
    container: Container
    member: str
    row: int
    size: int

    @property
    def name(self) -> str:
        """File and row."""
        return f"{self.file}/{self.member}"

    def read(self) -> bytes:
        """Read it whole; `ImageError` if it cannot be, holds nothing, or the file is another now."""
        try:
            with self.file.open("rb") as opened:
                state = refuse_if_changed(self.file, opened, self.container.stamp)
            value = self._value(state)
            size = None if not value.is_valid else value.as_buffer().size
            if size is not None and size > MAX_BYTES:
                raise ImageError(f"more than {MAX_BYTES} bytes", file=self.name, remedy="leave it out or replace it")
            content = None if size is None else value.as_py()
        except (OSError, pa.ArrowException, KeyError, IndexError) as error:
            raise ImageError("cannot be read", file=self.file, value=error, remedy="check the file") from error
        if content is None:
            raise ImageError("the row holds no bytes", file=self.name, remedy="save the images with the table")
        if self.size not in (-1, len(content)):
            raise ImageError("was changed since it was indexed", file=self.name, remedy="make the index again")
        return bytes(content)

    def _value(self, state: State) -> pa.Scalar:
        column = (self.container.column, self.container.field)
        if self.container.kind == "arrow":
            return mapped_column(self.file, state, column)[self.row]
        ends = _ends_of_groups(self.file, state)
        group = bisect_right(ends, self.row)
        first = ends[group - 1] if group else 0
        return _GROUPS.get((self.file, state, column, group))[self.row - first]


def bytes_column(table: pa.Table, column: Column) -> pa.ChunkedArray:
    """Give a column of bytes, or the field of its structs that has them."""
    name, field = column
    values = table[name]
    if not field:
        return values
    place = values.type.get_field_index(field)
    return pa.chunked_array([chunk.flatten()[place] for chunk in values.chunks], values.type[place].type)


@lru_cache(maxsize=64)
def mapped_column(file: Path, state: State, column: Column) -> pa.ChunkedArray:  # noqa: ARG001 - state is part of the key
    """Map an Arrow file, stream or random access, and give a column that still lies in it."""
    return bytes_column(mapped_table(file), column)


def mapped_table(file: Path) -> pa.Table:
    """Map an Arrow file; pyarrow's errors if it is none."""
    source = pa.memory_map(str(file))
    try:
        return pa.ipc.open_stream(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_file(source).read_all()


@lru_cache(maxsize=256)
def _ends_of_groups(file: Path, state: State) -> tuple[int, ...]:  # noqa: ARG001 - state is part of the key
    metadata = pq.read_metadata(file)
    ends, end = [], 0
    for group in range(metadata.num_row_groups):
        end += metadata.row_group(group).num_rows
        ends.append(end)
    return tuple(ends)


class _Groups:
    """Row groups that were read last; threads that want the same one wait for the first of them to read it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Future[pa.ChunkedArray]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> pa.ChunkedArray:
        with self._lock:
            future = self._kept.get(key)
            mine = future is None
            if future is None:
                future = self._kept[key] = Future()
            self._kept.move_to_end(key)
        if mine:
            try:
                future.set_result(_read_group(key))
            except BaseException as error:  # noqa: BLE001 - raised again in every thread that waits
                with self._lock:
                    self._kept.pop(key, None)  # another try may do
                future.set_exception(error)
            self._forget()
        return future.result()

    def _forget(self) -> None:
        with self._lock:
            done = [(key, future.result().nbytes) for key, future in self._kept.items() if _succeeded(future)]
            held = sum(size for _, size in done)
            for key, size in done[:-1]:
                if held <= KEPT_BYTES:
                    break
                del self._kept[key]
                held -= size


def _succeeded(future: Future[pa.ChunkedArray]) -> bool:
    return future.done() and future.exception() is None


def _read_group(key: Key) -> pa.ChunkedArray:
    file, _, column, group = key
    with pq.ParquetFile(file) as opened:
        table = opened.read_row_group(group, columns=[".".join(filter(None, column))], use_threads=False)
    return bytes_column(table, column)


_GROUPS = _Groups()
