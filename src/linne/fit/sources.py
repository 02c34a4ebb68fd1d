"""Where training batches come from: cached activations, or augmented images."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from linne.fit.augment import get_ready, random_view
from linne.fit.decoded import Pictures
from linne.fit.draw import rng_of
from linne.fit.growth import Growth
from linne.fit.inputs import Normaliser
from linne.fit.order import Order
from linne.fit.policy import Policy
from linne.records.errors import ImageError
from linne.records.pixel_spec import PixelSpec
from linne.records.truth import Truth
from linne.runtime.cores import available_cores

Batch = tuple[Tensor, Tensor]

AHEAD = 3
"""Batches that are made while one is trained on."""

CHUNK = 8
"""Images that a thread makes in one go: handing each over alone would cost as much as cutting it from the cache."""

_STREAM = 2
"""Views are drawn by other numbers than epochs are shuffled by."""

MOST_THREADS = 8
MOST_THREADS_FROM_CACHE = 4
"""More made fewer views a second on sixteen cores, at twice the work each (`benchmarks/view_threads.py`)."""


def view_threads(decoding: bool) -> int:
    """How many threads make views; decoding lets go of the interpreter's lock for longest."""
    return max(2, min(available_cores(), MOST_THREADS if decoding else MOST_THREADS_FROM_CACHE))


def label_tensor(labels: Truth) -> Tensor:
    """Labels of a batch ``(batch,)`` as int64, or of several an image, ``(batch, classes)``, as they are."""
    return torch.from_numpy(labels if labels.ndim == 2 else labels.astype(np.int64))


class Source(Protocol):
    """Training batches, epoch by epoch, in the order that `Order` gives."""

    images: int
    batch_size: int
    failed: dict[int, str]
    """Rows that could not be read or decoded, and why. A batch then has fewer images, none in another's place."""

    @property
    def waited(self) -> float:
        """Seconds that were spent waiting for batches, all epochs together."""

    def epoch(self, epoch: int, first: int = 0) -> Generator[Batch, None, None]:
        """Give ``(inputs, labels)`` batches, from the `first` on; a last, smaller one is left out.

        One that has lost all its images is empty: other processes may have images of it.

        Inputs are float, or uint8 intensities that are still to be normalised. They hold until the next batch is asked
        for: its memory may be theirs.
        """


class CachedActivations:
    """What enters the first trained stage, computed once for some views of each image.

    Each image shows its views in turn, from one that is drawn.

    Parameters
    ----------
    views : sequence of (n, c, h, w) float16 array
    labels : (n,) int array, or (n, classes) uint8 array of several labels
    order : Order
    """

    def __init__(self, views: Sequence[NDArray[np.float16]], labels: Truth, order: Order) -> None:
        self.views, self.labels, self.order = views, labels, order
        drawn = np.random.default_rng((order.seed, len(views), _STREAM))
        self._first = drawn.integers(len(views), size=len(labels))
        self.images, self.batch_size = order.images, order.batch_size
        self.waited = 0.0
        self.failed: dict[int, str] = {}

    def epoch(self, epoch: int, first: int = 0) -> Generator[Batch, None, None]:
        """Give batches of stored activations."""
        for rows in self.order.batches(epoch)[first:]:
            which = (self._first[rows] + epoch) % len(self.views)
            values = np.empty((len(rows), *self.views[0].shape[1:]), np.float16)
            for view in np.unique(which).tolist():
                values[which == view] = self.views[view][rows[which == view]]
            yield torch.from_numpy(values).float(), label_tensor(self.labels[rows])


class AugmentedImages:
    """Random views of pictures, made in threads: ``(batch, channels, height, width)``, channels last.

    Parameters
    ----------
    pictures : Pictures
    label : (n,) int array, or (n, classes) uint8 array of several labels
        Of each row of the index.
    rows : (m,) int64 array
        Training rows of the index.
    growth : Growth
        The size of views, epoch by epoch.
    policy : Policy
    order : Order
    floats : bool
        Normalise them in the threads too, while they are in the cache, for a network on the CPU. Else they are uint8
        intensities, which reach a GPU in a quarter of the time, and are normalised there.
    failed : dict of int to str, optional
        Takes rows that could not be read, and why.
    """

    def __init__(
        self,
        pictures: Pictures,
        label: Truth,
        rows: NDArray[np.int64],
        growth: Growth,
        policy: Policy,
        order: Order,
        floats: bool,
        failed: dict[int, str] | None = None,
    ) -> None:
        get_ready(growth.spec, policy)
        self._floats = floats
        self.pictures, self.label, self.rows, self.growth, self.policy = pictures, label, rows, growth, policy
        self.images, self.batch_size, self.order = order.images, order.batch_size, order
        self.waited = 0.0
        self.failed: dict[int, str] = {} if failed is None else failed

    def epoch(self, epoch: int, first: int = 0) -> Generator[Batch, None, None]:
        """Give batches of random views."""
        spec = self.growth.at(epoch)
        normalised = Normaliser(spec, torch.device("cpu")) if self._floats else None
        free = [_buffer(self.order.part_size, spec, self._floats) for _ in range(AHEAD + 2)]
        waiting: deque[tuple[list[Future[list[int]]], Tensor, NDArray[np.int64]]] = deque()
        uncached = self.pictures.uncached(self.rows)  # after an epoch, what was in its last, smaller batch
        threads = view_threads(decoding=uncached >= self.batch_size)
        with ThreadPoolExecutor(threads, "augment", initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                for places, turns in self.order.batches_and_turns(epoch)[first:]:
                    rows, buffer = self.rows[places], free.pop()
                    pieces = [slice(start, start + CHUNK) for start in range(0, len(rows), CHUNK)]
                    futures = [
                        pool.submit(self._fill, buffer[piece], rows[piece], turns[piece], epoch, spec, normalised)
                        for piece in pieces
                    ]
                    waiting.append((futures, buffer, rows))
                    if len(waiting) > AHEAD:
                        yield from self._next(waiting, free)
                while waiting:
                    yield from self._next(waiting, free)
            finally:
                for futures, _, _ in waiting:
                    for future in futures:
                        future.cancel()

    def _next(
        self, waiting: deque[tuple[list[Future[list[int]]], Tensor, NDArray[np.int64]]], free: list[Tensor]
    ) -> Iterator[Batch]:
        futures, buffer, rows = waiting[0]
        began = time.perf_counter()
        missing = [start * CHUNK + place for start, future in enumerate(futures) for place in future.result()]
        self.waited += time.perf_counter() - began
        waiting.popleft()
        kept = np.delete(np.arange(len(rows)), missing)
        images = buffer[: len(rows)] if not missing else buffer[torch.from_numpy(kept)]
        yield images, label_tensor(self.label[rows[kept]])
        free.append(buffer)  # it has been copied by now: the labels, copied after it, are waited for

    def _fill(
        self,
        out: Tensor,
        rows: NDArray[np.int64],
        turns: NDArray[np.int64],
        epoch: int,
        spec: PixelSpec,
        normalised: Normaliser | None,
    ) -> list[int]:
        """Make a few views; gives the places of those that could not be made. Runs in a thread."""
        missing = []
        view = None if normalised is None else _buffer(1, spec, floats=False)
        for place, (row, turn) in enumerate(zip(rows.tolist(), turns.tolist(), strict=True)):
            here = out[place : place + 1]
            rng = rng_of(self.order.seed, epoch, row, turn)
            try:  # a JPEG is decoded only when it is known what of it is wanted
                made = here if view is None else view
                random_view(self.pictures.of(row), spec, self.policy, rng, made, self.growth.spec)
            except ImageError as error:
                self.failed[row] = str(error)
                missing.append(place)
                continue
            if normalised is not None and view is not None:
                normalised.into(here, view)
        return missing


def _buffer(images: int, spec: PixelSpec, floats: bool) -> Tensor:
    shape = (images, spec.height, spec.width, spec.channels)
    pinned = not floats and torch.cuda.is_available()
    dtype = torch.float32 if floats else torch.uint8
    return torch.empty(shape, dtype=dtype, pin_memory=pinned).permute(0, 3, 1, 2)
