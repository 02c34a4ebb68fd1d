"""Are these the images that were decided on? The same folder may lie elsewhere, with some images more or fewer."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from linne.records.digests import digest_name
from linne.records.errors import ImageError
from linne.records.fingerprint import of_bytes
from linne.records.index import Index

SAMPLE = 100
"""Images whose bytes are compared: a folder may lie on a slow disk."""

ENOUGH = 0.5
"""Share of them that must be as they were. Other data sets with the same names, 0001.jpg, have next to none."""


def are_same_images(before: Index, digest: NDArray[np.uint8], index: Index) -> bool:
    """Say whether an index has the images of another one under the same names; `digest` is of the images `before`."""
    looked_at = np.flatnonzero(digest.any(axis=1))
    if not len(looked_at):
        return False
    spread = np.linspace(0, len(looked_at) - 1, min(SAMPLE, len(looked_at))).round().astype(int)
    rows = looked_at[np.unique(spread)]
    now = pc.index_in(before.paths.take(rows), index.paths).to_pylist()
    same = sum(_is_as_it_was(index, row, digest_name(digest[old])) for old, row in zip(rows, now, strict=True))
    return same >= ENOUGH * len(rows)


def _is_as_it_was(index: Index, row: int | None, digest: str) -> bool:
    if row is None:
        return False
    try:
        return of_bytes(index.content(row).read()).hex() == digest
    except ImageError:
        return False
