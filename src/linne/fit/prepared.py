"""Images as validation sees them, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from linne.pixels.prepare import prepare
from linne.records.content import read_as_indexed
from linne.records.errors import ImageError
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.runtime.cores import available_cores


def prepared_batches(
    index: Index,
    rows: NDArray[np.int64],
    digest: NDArray[np.uint8],
    spec: PixelSpec,
    batch_size: int,
    failed: dict[int, str],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Give the exact inputs of rows, in order, decoded in threads.

    Parameters
    ----------
    index : Index
    rows : (m,) int64 array
    digest : (n, 16) uint8 array
        Of each row's file, when the run began.
    spec : PixelSpec
    batch_size : int
    failed : dict of int to str
        Takes rows that cannot be read any more, or were changed, and why: they are left out.

    Yields
    ------
    places : (b,) int64 array
        Which of `rows` these are.
    inputs : (b, channels, height, width) float32 array
    """

    def prepared(row: int) -> NDArray[np.float32] | None:
        content = index.content(row)
        try:
            return prepare(read_as_indexed(content, digest[row].tobytes()), spec, content.name)
        except ImageError as error:
            failed[row] = str(error)
            return None

    with ThreadPoolExecutor(max(2, available_cores()), thread_name_prefix="decode") as pool:
        for start in range(0, len(rows), batch_size):
            inputs = list(pool.map(prepared, rows[start : start + batch_size].tolist()))
            kept = [place for place, values in enumerate(inputs) if values is not None]
            if kept:
                yield start + np.array(kept, np.int64), np.stack([values for values in inputs if values is not None])
