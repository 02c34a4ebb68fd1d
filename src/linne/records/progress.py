"""How long work tells of itself: rooms report here, and only the command line draws it."""

from __future__ import annotations

from typing import Protocol

from linne.records.epoch import Epoch


class Progress(Protocol):
    """Where a step says how far it is."""

    def start(self, step: str, total: float, unit: str) -> None:
        """Begin a step of `total` units ('images', 'seconds')."""

    def update(self, done: float, note: str = "") -> None:
        """Report the units done so far, and what is worth reading beside the bar (loss, score)."""

    def finish(self) -> None:
        """End the step."""

    def say(self, line: str) -> None:
        """Tell one line that stays on the screen."""

    def epoch(self, epoch: Epoch) -> None:
        """Tell what an epoch of training gave."""


class Silent:
    """Progress that nobody watches."""

    def start(self, step: str, total: float, unit: str) -> None:
        """Do nothing."""

    def update(self, done: float, note: str = "") -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""

    def say(self, line: str) -> None:
        """Do nothing."""

    def epoch(self, epoch: Epoch) -> None:
        """Do nothing."""
