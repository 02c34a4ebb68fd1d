"""How long a run may take, and how much of that is left."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from linne.records.errors import LinneError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Clock:
    """A budget that runs.

    Attributes
    ----------
    started : float
        On `time.monotonic`'s clock.
    budget : float or None
        Seconds; None has no end.
    slowness : float
        How many times as long as on a machine of its own steps take: what is not measured is estimated for that.
    """

    started: float
    budget: float | None
    slowness: float = 1.0

    @classmethod
    def starting(cls, budget: float | None) -> Clock:
        """Give a clock that starts now."""
        return cls(time.monotonic(), budget)

    def with_spent(self, seconds: float) -> Clock:
        """Give a clock on which some seconds were spent before: by a process that was cut off."""
        return replace(self, started=self.started - seconds)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def left(self) -> float | None:
        """Seconds until the end; negative past it."""
        return None if self.budget is None else self.budget - self.elapsed()


def goes_on_from(spent: float) -> Callable[[], float]:
    """Give the seconds of a run that had taken some when it was cut off; they pass from when they are first asked for.

    What a process needs to get back to where the run was is not the run's: its schedule would find itself late.
    """
    began: list[float] = []

    def elapsed() -> float:
        now = time.monotonic()
        began[:] = began or [now]
        return spent + (now - began[0])

    return elapsed


def parse_budget(text: str | float | None) -> float | None:
    """Read ``"90s"``, ``"10m"``, ``"1.5h"``, a number of seconds, or ``"none"``.

    Raises
    ------
    LinneError
        It is none of these, or not above zero.
    """
    if text is None or text == "none":
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?([smh]?)", str(text).strip().lower())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds < math.inf:
        raise LinneError("is no budget", value=text, remedy="give it as 90s, 10m, 2h or none")
    return seconds
