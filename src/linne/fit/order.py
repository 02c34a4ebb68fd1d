"""In which order images are trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    """

    images: int
    batch_size: int
    seed: int
    labels: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, images: int, batch_size: int, seed: int, labels: NDArray[np.int64] | None = None) -> Order:
        """Give the order of some images."""
        return cls(images, min(batch_size, images), seed, labels)

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """Positions of each batch of an epoch; what remains is left to other epochs."""
        if self.labels is None:
            return shuffled(self.images, self.batch_size, self.seed, epoch)
        return balanced(self.labels, self.batch_size, self.seed, epoch)

    def batches_and_turns(self, epoch: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Positions, and how often each was shown before in this epoch: its views are not to be the same."""
        batches = self.batches(epoch)
        if self.labels is None:
            return [(batch, np.zeros_like(batch)) for batch in batches]
        shown = np.concatenate(batches)
        by_image = np.argsort(shown, kind="stable")
        first = np.r_[True, np.diff(shown[by_image]) > 0]
        turns = np.empty_like(shown)
        turns[by_image] = np.arange(len(shown)) - np.maximum.accumulate(np.where(first, np.arange(len(shown)), 0))
        return list(zip(batches, np.split(turns, np.cumsum([len(batch) for batch in batches])[:-1]), strict=True))
