"""Where in its schedule a training run is."""

from __future__ import annotations

LATE = 0.03
"""Of the time there is: a run that will be later than this is hurried."""

FEWEST_STEPS = 5
"""After so many it is known how long one takes; the first one takes longer."""


class Pace:
    """Progress by steps, or by the clock once the steps would not be done in time.

    A schedule that a deadline cuts has not lowered its learning rate, and loses points for that. So where a machine has
    become slower than it was measured, what is left of the schedule is drawn together: from then on it runs to its end
    with the clock. A run that is in time depends on its steps alone.

    Parameters
    ----------
    steps : int
        Planned, in all.
    end : float, optional
        When they must be done, on the caller's clock; it may be moved.
    hurried : (float, float), optional
        From where in the schedule, and when, the clock has been followed: of a run that goes on.
    """

    def __init__(self, steps: int, end: float | None, hurried: tuple[float, float] | None = None) -> None:
        self._steps, self.end = steps, end
        self._begins: int | None = None
        self._first: tuple[int, float] | None = None
        self.hurried = hurried

    def at(self, step: int, now: float) -> float:
        """Progress before a step, in [0, 1]."""
        by_steps = step / self._steps
        if self.end is None:
            return by_steps
        if self.hurried is None and self._is_late(step, now, self.end):
            self.hurried = by_steps, now
        if self.hurried is None:
            return by_steps
        if now >= self.end:
            return 1.0
        progress, since = self.hurried
        by_clock = progress + (1 - progress) * (now - since) / (self.end - since)
        return min(max(by_steps, by_clock), 1.0)

    def seconds_a_step(self, step: int, now: float) -> float | None:
        """What a step has taken so far, from before this one; None until that is known."""
        if self._begins is None:  # a run that goes on does so in the middle
            self._begins = step
        if self._first is None and step > self._begins:  # the first step is over
            self._first = step, now
        if self._first is None or step - self._first[0] < FEWEST_STEPS:
            return None
        first, then = self._first
        return (now - then) / (step - first)

    def _is_late(self, step: int, now: float, end: float) -> bool:
        each = self.seconds_a_step(step, now)
        if self._first is None or each is None:
            return now >= end
        return now + (self._steps - step) * each > end + LATE * (end - self._first[1])
