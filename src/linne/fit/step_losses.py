"""Losses of steps; those on a GPU are fetched now and then, so that nothing waits for them at each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from linne.records.errors import DivergedError

LOOKED_AT_EVERY = 16
"""Steps after which losses are fetched from a GPU: each time it is waited for."""


class StepLosses:
    """Takes the losses of an epoch's steps over, and finds the one that is no number.

    Parameters
    ----------
    into : list of float
        Takes them, once they are fetched.
    remote : bool
        They are on a GPU.
    epoch : int
    named : callable or None
        Given epoch and batch, names of some of its images; None leaves it to another process to raise.
    """

    def __init__(
        self, into: list[float], remote: bool, epoch: int, named: Callable[[int, int], Sequence[str]] | None
    ) -> None:
        self._into, self._every = into, LOOKED_AT_EVERY if remote else 1
        self._epoch, self._named = epoch, named
        self._open: list[tuple[int, Tensor]] = []

    def add(self, batch: int, loss: Tensor) -> None:
        """Take the loss of a batch of the epoch; `DivergedError` as `fetch`, once there are many."""
        self._open.append((batch, loss))
        if len(self._open) >= self._every:
            self.fetch()

    def fetch(self) -> None:
        """Take over all that there are; `DivergedError` where one is no number."""
        if not self._open:
            return
        batches, values = [batch for batch, _ in self._open], torch.stack([loss for _, loss in self._open]).tolist()
        self._open.clear()
        self._into.extend(values)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad) and self._named is not None:
            batch = batches[int(bad[0])]
            raise DivergedError(
                "the loss or its gradient is no number",
                value=f"epoch {self._epoch}, batch {batch}: {', '.join(self._named(self._epoch, batch))}",
                remedy="take a smaller learning_rate, or look at the images with `linne audit`; the best weights "
                "so far are in the run",
            )
