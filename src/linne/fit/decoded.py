"""The pictures that random views are cut from: from the file, or from the pixel cache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import torch
from numpy.typing import NDArray

from linne.fit.augment import resize_into
from linne.pixels.cache import PixelCache
from linne.pixels.shrunk import Decoded, Picture, Undecoded, shrink_for
from linne.records.content import read_as_indexed
from linne.records.errors import ImageError
from linne.records.index import Index
from linne.records.progress import Progress
from linne.runtime.cores import available_cores

BATCH = 256
"""Images that are decoded between two looks at Ctrl-C."""


class Pictures:
    """Pictures of an index's rows.

    Parameters
    ----------
    index : Index
    channels : int
    cache : PixelCache, optional
        Of `Policy.cache_side`. With it every view, the first too, is cut from a picture of that size, so that it does
        not matter which of them are in the cache.
    digest : (n, 16) uint8 array, optional
        Of each row's file: one that has another content now is refused. Needed with a cache.
    """

    def __init__(
        self,
        index: Index,
        channels: int,
        cache: PixelCache | None = None,
        digest: NDArray[np.uint8] | None = None,
    ) -> None:
        self._index, self._channels, self._cache, self._digest = index, channels, cache, digest

    def uncached(self, rows: NDArray[np.int64]) -> int:
        """How many pictures of some rows have to be decoded."""
        return len(rows) if self._cache is None else self._cache.lacking(rows)

    def cached_bytes(self, rows: NDArray[np.int64]) -> int:
        """How much memory the cached pictures of some rows take."""
        return 0 if self._cache is None else self._cache.bytes_of(rows)

    def of(self, row: int) -> Picture:
        """Give the picture of a row.

        Raises
        ------
        ImageError
            It cannot be read or decoded, or is another one than was indexed.
        """
        held = None if self._cache is None else self._cache.get(row)
        if held is not None:
            return Decoded(held)
        content = self._index.content(row)
        read = content.read() if self._digest is None else read_as_indexed(content, self._digest[row].tobytes())
        picture = Undecoded(read, self._channels, content.name)
        if self._cache is None:
            return picture
        small = _shrunk(picture, self._cache.side)
        self._cache.put(row, small)
        return Decoded(small)

    def decode(self, rows: NDArray[np.int64], progress: Progress) -> None:
        """Put the pictures of some rows into the cache; what cannot be read is left for training to tell of."""

        def kept(row: int) -> None:
            with suppress(ImageError):
                self.of(row)

        threads = max(2, available_cores())
        progress.start("decode", len(rows), "images")
        try:
            with ThreadPoolExecutor(threads, "decode", initializer=torch.set_num_threads, initargs=(1,)) as pool:
                for start in range(0, len(rows), BATCH):
                    if self._cache is None or not self._cache.keeps:  # it is full
                        break
                    list(pool.map(kept, rows[start : start + BATCH].tolist()))
                    progress.update(min(start + BATCH, len(rows)))
        finally:
            progress.finish()


def _shrunk(picture: Picture, side: int) -> NDArray[np.uint8]:
    """Scale the shorter side down to `side`, if it is longer."""
    shorter = min(picture.width, picture.height)
    pixels = picture.pixels(shrink_for((picture.width, picture.height), (side, side)))
    if shorter <= side:
        return pixels
    height, width = (max(side, round(length * side / shorter)) for length in (picture.height, picture.width))
    out = np.empty((1, height, width, pixels.shape[2]), np.uint8)
    resize_into(torch.from_numpy(out).permute(0, 3, 1, 2), pixels[None])
    scaled: NDArray[np.uint8] = out[0]
    return scaled
