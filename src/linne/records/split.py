"""Which images train, which validate, which test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.records import fingerprint
from linne.records.parquet import read_table, write_table

SCHEMA = 1


@dataclass(frozen=True)
class Split:
    """The subset of every row of an index.

    Attributes
    ----------
    subset : (n,) int8 array
        Position in `linne.records.index.SUBSETS`; 0 is left out (unreadable).
    group : (n,) int64 array
        Rows of one group are duplicates of each other, or belong together by name.
    supplied : bool
        Whether any subset comes from the user's own folders.
    index : str
        Fingerprint of the index.
    """

    subset: NDArray[np.int8]
    group: NDArray[np.int64]
    supplied: bool
    index: str

    def rows(self, subset: int) -> NDArray[np.int64]:
        """Rows of the index in one subset."""
        return np.flatnonzero(self.subset == subset)

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of subsets, groups and the index."""
        return fingerprint.of_settings([self.index, fingerprint.of_arrays(self.subset, self.group)])

    def write(self, path: Path, paths: pa.Array, digest: NDArray[np.uint8]) -> None:
        """Write as Parquet, with the images' paths and the digests ``(n, 16)`` of their bytes."""
        flat = pa.array(digest.reshape(-1))
        digests = pa.FixedSizeListArray.from_arrays(flat, fingerprint.DIGEST_BYTES)
        columns = {"path": paths, "subset": pa.array(self.subset), "group": pa.array(self.group), "digest": digests}
        write_table(path, "split", SCHEMA, columns, {"parent": self.index, "supplied": self.supplied})

    @classmethod
    def read(cls, path: Path) -> Split:
        """Read what `write` wrote; `RunError` if it cannot be."""
        table, facts = read_table(path, "split", SCHEMA)
        return cls(table["subset"].to_numpy(), table["group"].to_numpy(), facts["supplied"], facts["parent"])

    @staticmethod
    def read_digests(path: Path) -> NDArray[np.uint8]:
        """Read the digests ``(n, 16)`` that `write` was given; `RunError` if they cannot be."""
        table, _ = read_table(path, "split", SCHEMA)
        flat = table["digest"].combine_chunks().flatten().to_numpy()
        return np.asarray(flat, np.uint8).reshape(-1, fingerprint.DIGEST_BYTES)
