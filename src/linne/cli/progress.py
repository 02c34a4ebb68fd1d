"""Progress on the terminal: a bar with throughput and time left, or plain lines where nobody watches."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

LINE_EVERY = 10.0
"""Seconds between plain lines."""


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:.0f} {task.fields['unit']}/s", style="cyan")


class Terminal:
    """Draws on standard error, so that standard output holds results only."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._bars: Bars | None = None
        self._step, self._unit, self._total, self._done = "", "", 0.0, 0.0
        self._started = self._told = 0.0

    def start(self, step: str, total: float, unit: str) -> None:
        """Begin a step."""
        self._step, self._total, self._unit, self._done = step, total, unit, 0.0
        self._started = self._told = time.monotonic()
        if not self.console.is_terminal:
            return
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description:<9}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            _Rate(),
            TextColumn("{task.fields[note]}", markup=False),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            transient=True,
        )
        self._bars.add_task(step, total=total, unit=unit, note="")
        self._bars.start()

    def update(self, done: float, note: str = "") -> None:
        """Report units done."""
        self._done = done
        if self._bars is not None:
            self._bars.update(self._bars.task_ids[0], completed=done, note=note)
        elif time.monotonic() - self._told > LINE_EVERY:
            self._told = time.monotonic()
            rate = done / (self._told - self._started)
            left = f", {(self._total - done) / rate:.0f} s left" if rate else ""
            self.say(f"{self._step}: {done:.0f} of {self._total:.0f} {self._unit}, {rate:.0f}/s{left}  {note}".rstrip())

    def finish(self) -> None:
        """End the step with one line."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
        seconds = max(time.monotonic() - self._started, 1e-3)
        self.say(f"{self._step}: {self._done:.0f} {self._unit} in {seconds:.1f} s, {self._done / seconds:.0f}/s")

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self.console.print(line, markup=False, soft_wrap=True)
