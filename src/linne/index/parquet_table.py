"""One Parquet file: its rows hold images, or name files."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from linne.index.columns import Columns
from linne.index.image_rows import TableFile, index_image_rows, read_columns
from linne.index.schema import features_of, image_column, names_of_classes
from linne.index.table import index_table, named_columns
from linne.records.errors import DataError
from linne.records.index import Index


def read_parquet(source: Path, columns: Columns) -> Index:
    """Index one Parquet file.

    Raises
    ------
    DataError
        It is damaged, has no such columns, or what `as_index` raises.
    """
    try:
        schema = pq.read_schema(source)
    except (OSError, pa.ArrowException) as error:
        raise DataError("cannot be read as Parquet", file=source, value=error, remedy="bring the whole file") from error
    if image_column(source, schema, columns.path) is not None:
        return index_image_rows(source, [TableFile("", "parquet")], columns)
    named = named_columns(source, schema.names, columns)
    path, labels, split = named
    if not (pa.types.is_string(schema.field(path).type) or pa.types.is_large_string(schema.field(path).type)):
        raise DataError(
            f"column {path!r} holds neither paths nor images",
            file=source,
            value=schema.field(path).type,
            remedy="give --path-column",
        )
    wanted = list(dict.fromkeys(name for name in (path, *labels, split) if name is not None))
    try:
        table = read_columns(source, wanted)
    except (OSError, pa.ArrowException) as error:
        raise DataError("cannot be read as Parquet", file=source, value=error, remedy="bring the whole file") from error
    return index_table(source, table, named, columns, names_of_classes(features_of(schema), labels), [])
