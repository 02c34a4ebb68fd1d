"""In which order images are trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
        order = np.random.default_rng((self.seed, epoch)).permutation(self.images)
        whole = max(self.images // self.batch_size, 1)
        return [order[i * self.batch_size : (i + 1) * self.batch_size] for i in range(whole)]
