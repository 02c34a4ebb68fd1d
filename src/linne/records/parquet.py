"""Tables on disk: Parquet with the artefact's name, schema version and parent in its metadata.

pyarrow rather than polars: its columns are flat buffers that NumPy reads without a copy, and the formats
that a data set comes in (Hugging Face, WebDataset indexes, Ray) are Arrow already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from linne.records.atomic import encoded, replacing
from linne.records.errors import RunError
from linne.records.sealed import sealed, unsealed

KEY = b"linne"


def write_table(path: Path, artefact: str, schema: int, columns: Mapping[str, Any], facts: dict[str, Any]) -> None:
    """Write columns atomically; `facts` are small JSON values kept beside them."""
    table = pa.table(dict(columns))
    about = {"artefact": artefact, "schema": schema, "columns": table.column_names, **facts}
    with replacing(path) as part:
        table = table.replace_schema_metadata({KEY: encoded(json.dumps(sealed(about), ensure_ascii=False))})
        pq.write_table(table, part, compression="zstd", write_page_checksum=True)


def read_table(path: Path, artefact: str, schema: int) -> tuple[pa.Table, dict[str, Any]]:
    """Read what `write_table` wrote.

    Raises
    ------
    RunError
        The file is gone, damaged, another artefact, or of another schema version.
    """
    remedy = "make it again with `linne fit` or `linne audit`"
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        about: dict[str, Any] = json.loads((table.schema.metadata or {})[KEY])
    except FileNotFoundError:
        raise RunError("no such file", file=path, remedy=remedy) from None
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise RunError(f"cannot be read as {artefact}", file=path, value=error, remedy=remedy) from error
    if about.get("artefact") != artefact or about.get("schema") != schema:
        raise RunError(
            f"is not {artefact} of schema {schema}",
            file=path,
            value=f"{about.get('artefact')} of schema {about.get('schema')}",
            remedy=remedy,
        )
    facts = unsealed(about)
    if facts is None or facts["columns"] != table.column_names:
        raise RunError(f"was altered or damaged: {artefact}", file=path, remedy=remedy)
    return table, facts


def artefact_of(path: Path) -> str | None:
    """Say which artefact of ours a file claims to be, by its metadata alone; None for any other file."""
    try:
        about = json.loads((pq.read_schema(path).metadata or {})[KEY])
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None
    name = about.get("artefact") if isinstance(about, dict) else None
    return name if isinstance(name, str) else None
