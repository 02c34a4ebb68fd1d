"""In which order images are trained on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from linne.fit.processes import ALONE, Processes


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
        order = np.random.default_rng((self.seed, epoch)).permutation(self.images)
        whole = max(self.images // self.batch_size, 1)
        batches = [order[i * self.batch_size : (i + 1) * self.batch_size] for i in range(whole)]
        return [self.processes.part(batch) for batch in batches]
