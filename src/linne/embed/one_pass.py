"""The one pass: read, digest, decode, look and run the network, each image once in the life of the store."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linne.embed.backends import BATCH, Backend
from linne.embed.look import Looks, look_at
from linne.embed.store import Shelf
from linne.records.fingerprint import DIGEST_BYTES
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress
from linne.runtime.session import available_cores

SHARD = 512
"""Images a shard: what a kill can lose."""


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
    """

    digest: NDArray[np.uint8]
    reason: NDArray[np.str_]
    computed: int

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
        Takes perceptual hash and thumbnail.
    layers : list of Shelf
        One an output of `backend`; the first keeps float32, the others float16.
    spec : PixelSpec, optional
        Needed with a backend.
    backend : callable, optional
    progress : Progress

    Raises
    ------
    WriteError
        The store could not be written.

    Notes
    -----
    Interrupted, it keeps what was computed; the next pass goes on from there.
    """
    looked_at = facts.known()
    embedded = set.intersection(*(shelf.known() for shelf in layers)) if layers else looked_at
    keeper = _Keeper(facts, layers, backend)
    digests = np.zeros((len(index), DIGEST_BYTES), np.uint8)
    failures: dict[int, str] = {}

    def look(row: int) -> Looks:
        return look_at(index.content(row), spec if backend else None, looked_at, embedded)

    progress.start("embed" if backend else "look", len(index), "images")
    try:
        with closing(_in_order(look, len(index))) as rows:
            for row, looks in enumerate(rows):
                if looks.digest:
                    digests[row] = np.frombuffer(looks.digest, np.uint8)
                if looks.failure:
                    failures[row] = looks.failure
                keeper.take(looks)
                if row % BATCH == 0:
                    progress.update(row)
        progress.update(len(index))
    finally:
        try:
            keeper.close()
        finally:
            progress.finish()
    return Passed(digests, _reasons(failures, len(index)), keeper.computed)


def _reasons(failures: dict[int, str], images: int) -> NDArray[np.str_]:
    """Why each image is unreadable, ``(images,)``: as wide as the longest, since a million rows have one width."""
    told = np.array(list(failures.values()), np.str_)
    reasons = np.full(images, "", np.result_type("U1", told))
    reasons[list(failures)] = told
    return reasons


def _in_order(look: Callable[[int], Looks], rows: int) -> Generator[Looks]:
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
    """Gathers looks into batches for the network and into shards for the store.

    An interrupt may come between any two statements: what a step has used up is let go only after its result is
    held, and a shelf does not take a digest twice.
    """

    def __init__(self, facts: Shelf, layers: list[Shelf], backend: Backend | None) -> None:
        self.facts, self.layers, self.backend = facts, layers, backend
        self.computed = 0
        self._looks: list[Looks] = []
        self._queue: list[Looks] = []
        self._ran: list[tuple[list[bytes], list[NDArray[Any]]]] = []
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
        if max(len(self._looks), len(self._ran) * BATCH) >= SHARD:
            self._write()

    def close(self) -> None:
        """Keep what is there, also when the pass was interrupted or the network failed."""
        try:
            if self._queue:
                self._run()
        finally:
            self._write()

    def _run(self) -> None:
        assert self.backend is not None  # noqa: S101 - pixels are made only for a backend
        batch = np.zeros((BATCH, *self._queue[0].pixels.shape), np.float32)  # type: ignore[union-attr]
        for i, looks in enumerate(self._queue):
            batch[i] = looks.pixels
        outputs = [
            output[: len(self._queue)].astype(np.float32 if place == 0 else np.float16)
            for place, output in enumerate(self.backend(batch))
        ]
        self._ran.append(([looks.digest for looks in self._queue], outputs))
        self._queue = []

    def _write(self) -> None:
        if self._ran:
            keys = [key for batch, _ in self._ran for key in batch]
            for place, shelf in enumerate(self.layers):
                shelf.append(keys, {"values": np.concatenate([outputs[place] for _, outputs in self._ran])})
            self._ran = []
        if self._looks:
            facts = [looks.facts or {} for looks in self._looks]
            columns = {name: np.array([fact[name] for fact in facts]) for name in facts[0]}
            self.facts.append([looks.digest for looks in self._looks], columns)
            self._looks = []
