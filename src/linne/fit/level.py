"""A level of training, ready to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from linne.fit.judge import Validate
from linne.fit.mixing import Mix
from linne.fit.optimise import Trainer
from linne.fit.sources import Source


@dataclass(frozen=True)
class Level:
    """What trains a network for some epochs, and what it is trained and validated on.

    Attributes
    ----------
    trainer : Trainer
    source : Source
    validate : Validate
    first, epochs : int
        Number of its first epoch, and how many it has.
    mixes : callable or None
        Given epoch and batch, how images of the batch are mixed.
    named : callable
        Given epoch and batch, names of some of its images.
    interrupted : bool
        Ctrl-C came while it was put together: what there is before it is judged, and nothing is trained.
    """

    trainer: Trainer
    source: Source
    validate: Validate
    first: int
    epochs: int
    mixes: Callable[[int, int], Mix] | None
    named: Callable[[int, int], Sequence[str]]
    interrupted: bool = False

    @property
    def batches(self) -> int:
        """Of an epoch."""
        return max(self.source.images // self.source.batch_size, 1)
