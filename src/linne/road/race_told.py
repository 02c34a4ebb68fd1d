"""How a race tells of itself."""

from __future__ import annotations

import time

from linne.records.epoch import Epoch
from linne.records.progress import Progress


class Named:
    """Progress of one network, which tells of the whole race, too."""

    def __init__(self, inner: Progress, name: str, before: int, networks: int, budget: float | None) -> None:
        self._inner, self._name, self._where = inner, name, f"{before + 1}/{networks}"
        self._end = None if budget is None else time.monotonic() + budget * (networks - before)

    def start(self, step: str, total: float, unit: str) -> None:
        """Begin a step."""
        self._inner.start(step, total, unit)

    def update(self, done: float, note: str = "") -> None:
        """Report units done, and how long the race still takes."""
        left = "" if self._end is None else f", {in_words(max(self._end - time.monotonic(), 0))} left"
        self._inner.update(done, f"{note}  {self._name} {self._where}{left}".strip())

    def finish(self) -> None:
        """End the step."""
        self._inner.finish()

    def epoch(self, epoch: Epoch) -> None:
        """Tell what an epoch gave."""
        self._inner.epoch(epoch)

    def say(self, line: str) -> None:
        """Tell one line, of this network."""
        self._inner.say(f"  {line}")


def in_words(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
