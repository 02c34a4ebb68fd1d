"""The one pass: read, digest, decode, look and run the network, each image once in the life of the store."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linne.embed.backends import BATCH, Backend
from linne.embed.store import Shelf
from linne.pixels.decode import decode, read_file
from linne.pixels.perceptual import THUMB_SIDE, perceptual_hash, thumbnail
from linne.pixels.prepare import normalise, pixels_of
from linne.records.errors import ImageError
from linne.records.fingerprint import DIGEST_BYTES, of_bytes
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress
from linne.runtime.session import available_cores

SHARD = 512
"""Images a shard: what a kill can lose."""

REASON = "U200"


@dataclass(frozen=True)
class Looks:
    """What one image looks like, and what the network is to see of it."""

    digest: bytes
    facts: dict[str, Any] | None = None
    pixels: NDArray[np.float32] | None = None
    failure: str = ""


@dataclass(frozen=True)
class Passed:
    """What the pass found, one row an image of the index.

    Attributes
    ----------
    digest : (n, 16) uint8 array
        Of the file's bytes; zeros where it could not be read.
    reason : (n,) array of str
        Why an image is unreadable; empty for the rest.
    computed : int
        Images that were not in the store yet.
    seconds : float
    """

    digest: NDArray[np.uint8]
    reason: NDArray[np.str_]
    computed: int
    seconds: float

    @property
    def readable(self) -> NDArray[np.bool_]:
        """``(n,)``: which images decode."""
        return np.asarray(self.reason == "")


def one_pass(
    index: Index,
    facts: Shelf,
    layers: list[Shelf],
    spec: PixelSpec | None,
    backend: Backend | None,
    progress: Progress,
) -> Passed:
    """Bring every image's facts, and the outputs of `backend`, into the store.

    Parameters
    ----------
    index : Index
    facts : Shelf
        Takes size, perceptual hash, thumbnail and, for an unreadable image, the reason.
    layers : list of Shelf
        One an output of `backend`; the first keeps float32, the others float16.
    spec : PixelSpec, optional
        Needed with a backend.
    backend : callable, optional
    progress : Progress

    Notes
    -----
    Interrupted, it keeps what was computed; the next pass goes on from there.
    """
    start = time.monotonic()
    looked_at = facts.known()
    embedded = set.intersection(*(shelf.known() for shelf in layers)) if layers else looked_at
    keeper = _Keeper(facts, layers, backend)
    digests = np.zeros((len(index), DIGEST_BYTES), np.uint8)
    reasons = np.full(len(index), "", REASON)

    def look(row: int) -> Looks:
        return _look(index.file(row), spec if backend else None, looked_at, embedded)

    progress.start("embed" if backend else "look", len(index), "images")
    try:
        for row, looks in enumerate(_in_order(look, len(index))):
            if looks.digest:
                digests[row] = np.frombuffer(looks.digest, np.uint8)
            reasons[row] = looks.failure
            keeper.take(looks)
            if row % BATCH == 0:
                progress.update(row)
        progress.update(len(index))
    finally:
        keeper.close()
        progress.finish()

    found = (digests != 0).any(axis=1)
    if found.any():
        reasons[found] = facts.gather(digests[found])["reason"]
    return Passed(digests, reasons, keeper.computed, time.monotonic() - start)


def _look(file: Path, spec: PixelSpec | None, looked_at: set[bytes], embedded: set[bytes]) -> Looks:
    """Read one file and do what the store does not hold yet; runs in a thread."""
    try:
        content = read_file(file)
    except ImageError as error:
        return Looks(b"", failure=f"{error.problem}: {error.value}"[:200])
    digest = of_bytes(content)
    wants_pixels = spec is not None and digest not in embedded
    if digest in looked_at and not wants_pixels:
        return Looks(digest)
    try:
        picture = decode(content, 3)
    except ImageError as error:
        if digest in looked_at:
            return Looks(digest)
        return Looks(
            digest, _facts_of_nothing(error.problem if error.value is None else f"{error.problem}: {error.value}")
        )
    facts = None if digest in looked_at else _facts_of(picture)
    pixels = None
    if spec is not None and wants_pixels:
        pixels = normalise(pixels_of(picture if spec.channels == 3 else picture.convert("L"), spec), spec)
    return Looks(digest, facts, pixels)


def _facts_of(picture: Image.Image) -> dict[str, Any]:
    return {
        "width": np.int32(picture.width),
        "height": np.int32(picture.height),
        "hash": perceptual_hash(picture),
        "thumb": thumbnail(picture),
        "reason": np.str_(""),
    }


def _facts_of_nothing(reason: str) -> dict[str, Any]:
    return {
        "width": np.int32(0),
        "height": np.int32(0),
        "hash": np.uint64(0),
        "thumb": np.zeros((THUMB_SIDE, THUMB_SIDE), np.uint8),
        "reason": np.str_(reason[:200]),
    }


def _in_order(look: Any, rows: int) -> Iterator[Looks]:
    """Look at every row in threads, a few batches ahead, and yield in order."""
    threads = max(2, available_cores())
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        waiting: deque[Future[Looks]] = deque()
        try:
            for row in range(rows):
                waiting.append(pool.submit(look, row))
                if len(waiting) > 3 * BATCH:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class _Keeper:
    """Gathers looks into batches for the network and into shards for the store."""

    def __init__(self, facts: Shelf, layers: list[Shelf], backend: Backend | None) -> None:
        self.facts, self.layers, self.backend = facts, layers, backend
        self.computed = 0
        self._looks: list[Looks] = []
        self._queue: list[Looks] = []
        self._keys: list[bytes] = []
        self._outputs: list[list[NDArray[Any]]] = [[] for _ in layers]
        self._seen: set[bytes] = set()

    def take(self, looks: Looks) -> None:
        if (looks.facts is None and looks.pixels is None) or looks.digest in self._seen:
            return
        self._seen.add(looks.digest)
        self.computed += 1
        if looks.facts is not None:
            self._looks.append(Looks(looks.digest, looks.facts))
        if looks.pixels is not None:
            self._queue.append(looks)
        if len(self._queue) == BATCH:
            self._run()
        if max(len(self._looks), len(self._keys)) >= SHARD:
            self._write()

    def close(self) -> None:
        """Keep what is there, also when the pass was interrupted."""
        if self._queue:
            self._run()
        self._write()

    def _run(self) -> None:
        assert self.backend is not None  # noqa: S101 - pixels are made only for a backend
        queue, self._queue = self._queue, []
        batch = np.zeros((BATCH, *queue[0].pixels.shape), np.float32)  # type: ignore[union-attr]
        for i, looks in enumerate(queue):
            batch[i] = looks.pixels
        for place, (kept, output) in enumerate(zip(self._outputs, self.backend(batch), strict=True)):
            kept.append(output[: len(queue)].astype(np.float32 if place == 0 else np.float16))
        self._keys += [looks.digest for looks in queue]

    def _write(self) -> None:
        if self._keys:
            for shelf, outputs in zip(self.layers, self._outputs, strict=True):
                shelf.append(self._keys, {"values": np.concatenate(outputs)})
            self._keys, self._outputs = [], [[] for _ in self.layers]
        if self._looks:
            columns = {
                name: np.stack([looks.facts[name] for looks in self._looks])  # type: ignore[index]
                for name in self._looks[0].facts or ()
            }
            columns["reason"] = columns["reason"].astype(REASON)
            self.facts.append([looks.digest for looks in self._looks], columns)
            self._looks = []
