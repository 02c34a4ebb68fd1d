"""Where training batches come from: cached activations, or augmented images."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from linne.fit.augment import get_ready, random_view
from linne.pixels.decode import decode
from linne.pixels.prepare import prepare
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.runtime.session import available_cores

Batch = tuple[Tensor, Tensor]

AHEAD = 3
"""Batches that are made while one is trained on."""


class Source(Protocol):
    """Training batches, epoch by epoch; the order of an epoch depends on (seed, epoch) alone."""

    images: int
    batch_size: int

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Give ``(inputs, labels)`` batches; the last, smaller one is left out unless it is the only one."""


def shuffled(images: int, batch_size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Positions of each batch of an epoch."""
    order = np.random.default_rng((seed, epoch)).permutation(images)
    whole = max(images // batch_size, 1)
    return [order[i * batch_size : (i + 1) * batch_size] for i in range(whole)]


class CachedActivations:
    """What enters the first trained stage, computed once.

    Parameters
    ----------
    values : (n, c, h, w) float16 array
    labels : (n,) int64 array
    """

    def __init__(self, values: NDArray[np.float16], labels: NDArray[np.int64], batch_size: int, seed: int) -> None:
        self.values, self.labels = values, labels
        self.images, self.batch_size, self.seed = len(labels), min(batch_size, len(labels)), seed

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Give batches of stored activations."""
        for rows in shuffled(self.images, self.batch_size, self.seed, epoch):
            yield torch.from_numpy(self.values[rows]).float(), torch.from_numpy(self.labels[rows])


class AugmentedImages:
    """Files, decoded and augmented in threads.

    Parameters
    ----------
    index : Index
    rows : (n,) int64 array
        Training rows of the index.
    spec : PixelSpec
    flip : bool
    """

    def __init__(
        self, index: Index, rows: NDArray[np.int64], spec: PixelSpec, flip: bool, batch_size: int, seed: int
    ) -> None:
        get_ready(spec)
        self.index, self.rows, self.spec, self.flip = index, rows, spec, flip
        self.images, self.batch_size, self.seed = len(rows), min(batch_size, len(rows)), seed

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Give batches of random views."""
        with ThreadPoolExecutor(max(2, available_cores()), thread_name_prefix="augment") as pool:
            waiting: deque[tuple[list[Future[Tensor]], NDArray[np.int64]]] = deque()
            try:
                for places in shuffled(self.images, self.batch_size, self.seed, epoch):
                    rows = self.rows[places]
                    waiting.append(([pool.submit(self._view, int(row), epoch) for row in rows], rows))
                    if len(waiting) > AHEAD:
                        yield self._batch(*waiting.popleft())
                while waiting:
                    yield self._batch(*waiting.popleft())
            finally:
                for futures, _ in waiting:
                    for future in futures:
                        future.cancel()

    def _view(self, row: int, epoch: int) -> Tensor:
        content = self.index.content(row)
        picture = decode(content.read(), self.spec.channels, content.name)
        return random_view(picture, self.spec, self.flip, np.random.default_rng((self.seed, epoch, row)))

    def _batch(self, views: list[Future[Tensor]], rows: NDArray[np.int64]) -> Batch:
        labels = torch.from_numpy(self.index.label[rows].astype(np.int64))
        return torch.stack([view.result() for view in views]), labels


def prepared_batches(
    index: Index, rows: NDArray[np.int64], spec: PixelSpec, batch_size: int
) -> Iterator[NDArray[np.float32]]:
    """Give the exact inputs of rows, in order, decoded in threads: ``(b, channels, height, width)``."""
    with ThreadPoolExecutor(max(2, available_cores()), thread_name_prefix="decode") as pool:
        for start in range(0, len(rows), batch_size):
            contents = [index.content(int(row)) for row in rows[start : start + batch_size]]
            yield np.stack(list(pool.map(lambda content: prepare(content.read(), spec, content.name), contents)))
