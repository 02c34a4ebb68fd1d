"""In which order images are trained on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from linne.fit.processes import ALONE, Processes
from linne.fit.sampling import balanced, shuffled


@dataclass(frozen=True)
class Order:
    """Batches of an epoch, by (seed, epoch) alone.

    Attributes
    ----------
    images : int
    batch_size : int
        As many as there are images, at most.
    seed : int
    labels : (images,) int64 array, optional
        With them, rare classes are drawn more often.
    processes : Processes
        Each has a part of every batch.
    """

    images: int
    batch_size: int
    seed: int
    labels: NDArray[np.int64] | None = None
    processes: Processes = field(default=ALONE)

    @classmethod
    def of(cls, images: int, batch_size: int, seed: int, labels: NDArray[np.int64] | None = None) -> Order:
        """Give the order of some images."""
        return cls(images, min(batch_size, images), seed, labels)

    @property
    def part_size(self) -> int:
        """Images of a batch that a process has, at most."""
        return -(-self.batch_size // self.processes.world)

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """Positions of each batch of an epoch, or this process's part of them; what remains is left to other epochs."""
        return [self.processes.part(batch) for batch in self._whole(epoch)]

    def batches_and_turns(self, epoch: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """The same, and how often each was shown before in this epoch: its views are not to be the same."""
        whole, part = self._whole(epoch), self.processes.part
        return [(part(batch), part(turns)) for batch, turns in zip(whole, self._turns(whole), strict=True)]

    def _whole(self, epoch: int) -> list[NDArray[np.int64]]:
        if self.labels is None:
            return shuffled(self.images, self.batch_size, self.seed, epoch)
        return balanced(self.labels, self.batch_size, self.seed, epoch)

    def _turns(self, batches: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        if self.labels is None:
            return [np.zeros_like(batch) for batch in batches]
        shown = np.concatenate(batches)
        by_image = np.argsort(shown, kind="stable")
        first = np.r_[True, np.diff(shown[by_image]) > 0]
        turns = np.empty_like(shown)
        turns[by_image] = np.arange(len(shown)) - np.maximum.accumulate(np.where(first, np.arange(len(shown)), 0))
        return np.split(turns, np.cumsum([len(batch) for batch in batches])[:-1])
