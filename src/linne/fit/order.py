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
