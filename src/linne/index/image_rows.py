"""Parquet and Arrow files whose rows hold images: everything but the images is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from linne.index.columns import SPLITS, Columns, find_column, missing_column
from linne.index.label_columns import label_column
from linne.index.labelled import as_index
from linne.index.schema import features_of, image_column, label_columns, names_of_classes
from linne.index.split_column import subset_column
from linne.records.contained import Contained
from linne.records.containers import Container, Kind, stamp_of
from linne.records.errors import DataError
from linne.records.index import NONE, Index, large_strings
from linne.records.rows import bytes_column, mapped_table
from linne.records.set_aside import SetAside

LAYOUT = "a table needs a column of images and one of labels"


@dataclass(frozen=True)
class TableFile:
    """A file of rows, and what is known of it before it is opened.

    Attributes
    ----------
    path : str
        Below the root; empty where the root is the file.
    kind : str
    subset : int
        What its name says.
    info : dict
        ``dataset_info.json`` beside it.
    """

    path: str
    kind: Kind
    subset: int = NONE
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Rows:
    """What was read of one file, all columns of one length."""

    container: Container
    labels: list[pa.ChunkedArray]
    subset: NDArray[np.int8]
    name: pa.Array
    size: NDArray[np.int64]
    alone: NDArray[np.bool_]


def index_image_rows(source: Path, files: Sequence[TableFile], columns: Columns) -> Index:
    """Index rows of one schema in any number of files.

    A row that holds a path and no bytes is a file of its own.

    Raises
    ------
    DataError
        A file is damaged or of another schema, or what `as_index` raises.
    """
    root = source.resolve()
    opened = [(file, _schema(root / file.path, file.kind)) for file in files]
    features = features_of(opened[0][1], files[0].info)
    labels = label_columns(source, opened[0][1], features, columns)
    parts = [_read(root, file, schema, labels, columns) for file, schema in opened]
    try:
        together = [pa.chunked_array([c for part in parts for c in part.labels[i].chunks]) for i in range(len(labels))]
    except (pa.ArrowException, TypeError) as error:
        raise DataError("files hold labels of different types", file=source, value=error, remedy=LAYOUT) from error
    found = label_column(source, together, labels, columns.separator, names_of_classes(features, labels))
    paths = pa.concat_arrays([_paths(part) for part in parts])
    size = np.concatenate([part.size for part in parts])
    gone = size == 0
    aside = [SetAside(paths[int(row)].as_py(), "empty file") for row in np.flatnonzero(gone)]
    aside += [SetAside(paths[int(row)].as_py(), found.reason) for row in np.flatnonzero(found.missing & ~gone)]
    rows = np.flatnonzero(~found.missing & ~gone)
    alone = np.concatenate([part.alone for part in parts])
    number = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part.size) for part in parts])
    offset = np.concatenate([np.arange(len(part.size), dtype=np.int64) for part in parts])
    contained = Contained(
        tuple(part.container for part in parts),
        np.where(alone, np.int32(-1), number)[rows],
        offset[rows],
        np.where(alone, np.int64(-1), size)[rows],
    )
    subset = np.concatenate([part.subset for part in parts])[rows]
    return as_index(
        source,
        str(root),
        paths.take(pa.array(rows)),
        found.labels.take(rows),
        subset,
        size[rows],
        aside,
        contained,
        LAYOUT,
    )


def _schema(file: Path, kind: Kind) -> pa.Schema:
    try:
        return pq.read_schema(file) if kind == "parquet" else mapped_table(file).schema
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(file, kind, error) from error


def _read(root: Path, file: TableFile, schema: pa.Schema, labels: Sequence[str], columns: Columns) -> _Rows:
    path = root / file.path
    where = image_column(path, schema, columns.path)
    missing = [name for name in labels if name not in schema.names]
    if where is None or missing:
        problem = f"has no column {missing[0]!r}" if missing else "has no column of images"
        raise missing_column(path, schema.names, problem, LAYOUT)
    column, inner = where
    split = find_column(path, schema.names, columns.split, SPLITS) if file.subset == NONE else None
    named = bool(inner) and schema.field(column).type.get_field_index("path") >= 0
    wanted = [*labels, *([split] if split else []), *([f"{column}.path"] if named else [])]
    try:
        table = read_columns(path, wanted) if file.kind == "parquet" else mapped_table(path)
        rows = table.num_rows
        name = pa.nulls(rows, pa.large_string())
        if named:
            name = bytes_column(table, (column, "path")).cast(pa.large_string()).combine_chunks()
        if file.kind == "arrow":
            lengths = pc.binary_length(bytes_column(table, (column, inner))).combine_chunks()
            size = lengths.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
            nothing = lengths.is_null().to_numpy(zero_copy_only=False)
        else:
            nothing = _rows_without_bytes(path, (column, inner))
            size = np.where(nothing, 0, -1)
        alone = nothing & name.is_valid().to_numpy(zero_copy_only=False)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, file.kind, error) from error
    for row in np.flatnonzero(alone).tolist():
        size[row] = _size_of(root / name[row].as_py())
    if split is None:
        subset = np.full(rows, file.subset, np.int8)
    else:
        subset = subset_column(path, table, split, columns.split is not None)
    container = Container(file.path, file.kind, stamp_of(path), column, inner)
    return _Rows(container, [table[label] for label in labels], subset, name, size, alone)


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Read some columns of a Parquet file; ``image.path`` is a field of structs. pyarrow's errors if it cannot be."""
    with pq.ParquetFile(path) as file:
        return file.read(columns=list(columns))


def _rows_without_bytes(path: Path, column: tuple[str, str]) -> NDArray[np.bool_]:
    """Which rows of a Parquet file have no bytes: images are read only where its statistics say that some lack."""
    where = ".".join(filter(None, column))
    parts = [np.empty(0, np.bool_)]
    with pq.ParquetFile(path) as file:
        for group in range(file.metadata.num_row_groups):
            about = file.metadata.row_group(group)
            chunks = (about.column(i) for i in range(about.num_columns))
            told = next((chunk.statistics for chunk in chunks if chunk.path_in_schema == where), None)
            lacking = told.null_count if told is not None and told.has_null_count else 0
            if 0 < lacking < about.num_rows:
                values = bytes_column(file.read_row_group(group, columns=[where]), column)
                parts += [chunk.is_null().to_numpy(zero_copy_only=False) for chunk in values.chunks]
            else:
                parts.append(np.full(about.num_rows, lacking > 0))
    return np.concatenate(parts)


def _unreadable(path: Path, kind: Kind, error: Exception) -> DataError:
    return DataError(f"cannot be read as {kind}", file=path, value=error, remedy="bring the whole file")


def _size_of(file: Path) -> int:
    """Size of a file that a row names; 0 where there is none."""
    try:
        return file.stat().st_size if file.is_file() else 0
    except (OSError, ValueError):
        return 0


def _paths(part: _Rows) -> pa.Array:
    """Call each row by its file, its number and, where one is given, the image's own name."""
    prefix = f"{part.container.path}/" if part.container.path else ""
    names = part.name.to_pylist()
    paths = []
    for row, name in enumerate(names):
        if part.alone[row]:
            paths.append(name)
        else:
            paths.append(f"{prefix}{row}/{name.rsplit('/', 1)[-1]}" if name else f"{prefix}{row}")
    return large_strings(paths)
