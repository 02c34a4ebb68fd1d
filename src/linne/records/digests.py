"""The digests of an index's images when they were looked at: a decision is about a picture, not about a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.records.fingerprint import DIGEST_BYTES
from linne.records.parquet import read_table, write_table

SCHEMA = 1


def write_digests(path: Path, digest: NDArray[np.uint8], index: str) -> None:
    """Write ``(n, 16)`` digests, zeros where a file could not be read; `index` is the index's fingerprint."""
    column = pa.FixedSizeListArray.from_arrays(pa.array(digest.reshape(-1)), DIGEST_BYTES)
    write_table(path, "digests", SCHEMA, {"digest": column}, {"parent": index})


def read_digests(path: Path) -> tuple[NDArray[np.uint8], str]:
    """Read what `write_digests` wrote; `RunError` if it cannot be."""
    table, facts = read_table(path, "digests", SCHEMA)
    flat = table["digest"].combine_chunks().flatten().to_numpy()
    return np.asarray(flat, np.uint8).reshape(-1, DIGEST_BYTES), facts["parent"]


def digest_name(digest: NDArray[np.uint8]) -> str:
    """Give one digest as hex; empty where the file could not be read."""
    return digest.tobytes().hex() if digest.any() else ""
