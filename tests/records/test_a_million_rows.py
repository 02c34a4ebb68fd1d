"""A million images are no more than a few flat arrays."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from linne.records.contained import Contained
from linne.records.containers import Container
from linne.records.index import Index, large_strings

ROWS = 1_000_000
MEGABYTES = 400


def peak() -> float:
    """Largest memory of this process so far, in MB."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@pytest.mark.slow
def test_an_index_of_a_million_rows(tmp_path: Path) -> None:
    before = peak()
    held = Contained(
        tuple(Container(f"{number:03d}.tar", "tar", f"{number:032x}") for number in range(1000)),
        np.arange(ROWS, dtype=np.int32) // 1000,
        np.arange(ROWS, dtype=np.int64) * 1000,
        np.full(ROWS, 100_000, np.int64),
    )
    index = Index(
        root="/photos",
        labels=tuple(f"class{number:03d}" for number in range(100)),
        paths=large_strings([f"class{row % 100:03d}/taken-in-2024/photo-{row:08d}.jpg" for row in range(ROWS)]),
        label=np.arange(ROWS, dtype=np.int32) % 100,
        subset=np.zeros(ROWS, np.int8),
        size=np.full(ROWS, 100_000, np.int64),
        contained=held,
    )
    index.write(tmp_path / "index.parquet")
    read = Index.read(tmp_path / "index.parquet")
    assert read.fingerprint == index.fingerprint
    assert read.counts().tolist() == [ROWS // 100] * 100
    assert peak() - before < MEGABYTES
