"""The one pass: read, digest, decode, look and run the network, each image once in the life of the store.

Memory holds a few batches, whatever the number of images: what is known of an image is on a shelf, or about to be.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Container
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linne.embed.backends import Backend
from linne.embed.in_order import in_order
from linne.embed.look import Looks, look_at
from linne.embed.measure import Pick, callers_pool
from linne.embed.store import Shelf
from linne.embed.way import Way
from linne.pixels.prepare import normalise
from linne.records.fingerprint import DIGEST_BYTES
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress
from linne.runtime.cores import available_cores

SHARD = 512
"""Images a shard: what a kill can lose."""

AHEAD = 96
"""Images that are looked at before their turn, or more where more run at once."""

WAITING = 1 << 28
"""Bytes of pixels that may be looked at ahead, and as many again in batches that wait for a thread; but each thread has
a batch. Many cores and large inputs would otherwise fill gigabytes."""

TOLD_EVERY = 32
"""Images between two reports of progress."""


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
    reason: NDArray[np.object_]
    computed: int

    @property
    def readable(self) -> NDArray[np.bool_]:
        """``(n,)``: which images decode."""
        return np.asarray(self.reason == "")


def one_pass(
    index: Index,
    facts: Shelf | None,
    layers: list[Shelf],
    spec: PixelSpec | None,
    backend: Pick | None,
    progress: Progress,
) -> Passed:
    """Bring every image's facts, and the outputs of `backend`, into the store.

    Parameters
    ----------
    index : Index
    facts : Shelf, optional
        Takes perceptual hash and thumbnail; without it nobody asks for them, and they are not computed.
    layers : list of Shelf
        One an output of `backend`; the first keeps float32, the others float16.
    spec : PixelSpec, optional
        Needed with a backend.
    backend : Pick, optional
    progress : Progress

    Raises
    ------
    WriteError
        The store could not be written.

    Notes
    -----
    Interrupted, it keeps what was computed; the next pass goes on from there.
    """
    looked_at, embedded = _OnAll([facts] if facts is not None else []), _OnAll(layers)
    digests = np.zeros((len(index), DIGEST_BYTES), np.uint8)
    failures: dict[int, str] = {}

    def look(row: int) -> Looks:
        return look_at(index.content(row), spec if backend else None, looked_at, embedded)

    callers, batch = (backend.way.callers, backend.way.batch) if backend else (1, 1)
    ahead = min(max(AHEAD, 3 * callers * batch), max(waiting_images(spec), callers)) if spec and backend else AHEAD
    progress.start("embed" if backend else "look", len(index), "images")
    with callers_pool(callers, max(2, callers, available_cores())) as pool:
        keeper = _Keeper(facts, layers, spec, backend, pool)
        try:
            with closing(in_order(pool, look, len(index), ahead)) as rows:
                for row, looks in enumerate(rows):
                    if looks.digest:
                        digests[row] = np.frombuffer(looks.digest, np.uint8)
                    if looks.failure:
                        failures[row] = looks.failure
                    keeper.take(looks)
                    if row % TOLD_EVERY == 0:
                        progress.update(row)
            progress.update(len(index))
        finally:
            try:
                keeper.close()
            finally:
                progress.finish()
    return Passed(digests, _reasons(failures, len(index)), keeper.computed)


def waiting_images(spec: PixelSpec) -> int:
    """How many images have `WAITING` bytes."""
    return WAITING // (spec.channels * spec.height * spec.width)


def _most_running(way: Way, spec: PixelSpec) -> int:
    """Batches that run or wait for a thread: enough that none is idle while the oldest is waited for."""
    return min(2 * (way.callers - 1), max(waiting_images(spec) // way.batch, way.callers))


def _reasons(failures: dict[int, str], images: int) -> NDArray[np.object_]:
    """Why each image is unreadable, ``(images,)``; those that are readable share one text."""
    reasons = np.full(images, "", np.object_)
    reasons[list(failures)] = list(failures.values())
    return reasons


class _OnAll(Container[bytes]):
    """Digests that are on every one of some shelves."""

    def __init__(self, shelves: list[Shelf]) -> None:
        self._shelves = shelves

    def __contains__(self, digest: object) -> bool:
        return all(digest in shelf for shelf in self._shelves)


class _Keeper:
    """Gathers looks into batches for the network and into shards for the store.

    An interrupt may come between any two statements: what a step has used up is let go only after its result is
    held, and a shelf does not take a digest twice.
    """

    def __init__(
        self, facts: Shelf | None, layers: list[Shelf], spec: PixelSpec | None, backend: Pick | None, pool: Executor
    ) -> None:
        self.facts, self.layers, self.spec, self.backend, self.pool = facts, layers, spec, backend, pool
        self._known = _OnAll(layers if facts is None else [facts, *layers])
        self._most_running = _most_running(backend.way, spec) if backend is not None and spec is not None else 0
        self.computed = 0
        self._looks: list[Looks] = []
        self._queue: list[Looks] = []
        self._running: deque[tuple[list[bytes], Future[list[NDArray[Any]]]]] = deque()
        self._ran: list[tuple[list[bytes], list[NDArray[Any]]]] = []
        self._pending: set[bytes] = set()
        self._own = threading.local()

    def take(self, looks: Looks) -> None:
        if (looks.facts is None and looks.pixels is None) or looks.digest in self._pending:
            return
        if looks.digest in self._known:
            return  # the same file again, looked at before the first was on the shelf
        self._pending.add(looks.digest)
        self.computed += 1
        if looks.facts is not None:
            self._looks.append(Looks(looks.digest, looks.facts))
        if looks.pixels is not None and self.backend is not None:
            self._queue.append(looks)
            if len(self._queue) == self.backend.way.batch:
                self._start(self.backend)
        if max(len(self._looks), sum(len(keys) for keys, _ in self._ran)) >= SHARD:
            self._write()

    def close(self) -> None:
        """Keep what is there, also when the pass was interrupted or the network failed."""
        failure: Exception | None = None
        try:
            if self._queue and self.backend is not None:
                self._start(self.backend)
        except Exception as error:  # noqa: BLE001 - what other batches gave is kept first
            failure = error
        try:
            while self._running:
                try:
                    self._harvest()
                except Exception as error:  # noqa: BLE001 - as above
                    failure = error
        finally:
            self._write()
        if failure is not None:
            raise failure

    def _start(self, backend: Pick) -> None:
        """Run the network on what is queued: here, or in a thread where several batches are run at once."""
        keys, run = [looks.digest for looks in self._queue], backend.run
        if backend.way.callers == 1:
            future: Future[list[NDArray[Any]]] = Future()
            future.set_result(self._run(run, backend.way.batch, self._queue))
        else:
            future = self.pool.submit(self._run, run, backend.way.batch, self._queue)
        self._running.append((keys, future))
        self._queue = []
        while len(self._running) > self._most_running:
            self._harvest()

    def _run(self, run: Backend, size: int, queue: list[Looks]) -> list[NDArray[Any]]:
        assert self.spec is not None  # noqa: S101 - pixels are made only for a network
        if not hasattr(self._own, "batch"):
            self._own.batch = np.empty((size, self.spec.channels, self.spec.height, self.spec.width), np.float32)
        batch: NDArray[np.float32] = self._own.batch
        for place, looks in zip(batch, queue, strict=False):
            normalise(looks.pixels, self.spec, place)  # type: ignore[arg-type]
        batch[len(queue) :] = 0
        # Copies, for an output may be the very batch.
        return [
            output[: len(queue)].astype(np.float32 if place == 0 else np.float16)
            for place, output in enumerate(run(batch))
        ]

    def _harvest(self) -> None:
        """Take over what the oldest running batch gave."""
        keys, future = self._running[0]
        try:
            self._ran.append((keys, future.result()))
        except Exception:
            self._running.popleft()  # it will not do better at the next try
            raise
        self._running.popleft()

    def _write(self) -> None:
        if self._ran:
            keys = [key for batch, _ in self._ran for key in batch]
            for place, shelf in enumerate(self.layers):
                shelf.append(keys, {"values": np.concatenate([outputs[place] for _, outputs in self._ran])})
            self._ran = []
        if self._looks and self.facts is not None:
            facts = [looks.facts or {} for looks in self._looks]
            columns = {name: np.array([fact[name] for fact in facts]) for name in facts[0]}
            self.facts.append([looks.digest for looks in self._looks], columns)
            self._looks = []
        queued = {looks.digest for looks in self._queue}
        self._pending = queued.union(*(keys for keys, _ in self._running))
