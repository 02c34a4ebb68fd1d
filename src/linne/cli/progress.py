"""Progress on the terminal: a bar with throughput and time left, or plain lines where nobody watches."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console, RenderableType
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

from linne.cli.curves import chart
from linne.records.epoch import Epoch

LINE_EVERY = 10.0
"""Seconds between plain lines."""

CURVES_WIDTH, CURVES_HEIGHT = 72, 8
"""Characters."""

FEWEST_DRAWN = 2
"""Epochs; one is no curve."""


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:.0f} {task.fields['unit']}/s", style="cyan")


class _Bars(Bars):
    """A bar, and what is drawn below it."""

    below = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Give the bar, then the rest."""
        yield from super().get_renderables()
        if self.below:
            yield Text(self.below, no_wrap=True)


class Terminal:
    """Draws on standard error, so that standard output holds results only."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._bars: _Bars | None = None
        self._epochs: list[Epoch] = []
        self._step, self._unit, self._total, self._done = "", "", 0.0, 0.0
        self._started = self._told = 0.0

    def start(self, step: str, total: float, unit: str) -> None:
        """Begin a step."""
        self._step, self._total, self._unit, self._done = step, total, unit, 0.0
        self._started = self._told = time.monotonic()
        if not self.console.is_terminal:
            return
        self._bars = _Bars(
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
        if step == "train":
            self._bars.below = self._curves()  # those of the level before
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
            curves = self._bars.below
            self._bars.stop()
            self._bars = None
            if curves:
                self.say(curves)
        seconds = max(time.monotonic() - self._started, 1e-3)
        self.say(f"{self._step}: {self._done:.0f} {self._unit} in {seconds:.1f} s, {self._done / seconds:.0f}/s")

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self.console.print(line, markup=False, soft_wrap=True)

    def epoch(self, epoch: Epoch) -> None:
        """Draw the curves anew, or print a line where nobody watches; a new training has new curves."""
        if self._epochs and epoch.epoch <= self._epochs[-1].epoch:
            self._epochs = []
        self._epochs.append(epoch)
        if self._bars is not None and not self.console.options.ascii_only:
            self._bars.below = self._curves()
            self._bars.refresh()
        elif epoch.loss is not None:
            best = max(each.rank[0] for each in self._epochs)
            rate = "" if epoch.rate is None else f", {epoch.rate:.0f} images/s"
            self.say(
                f"epoch {epoch.epoch}: loss {epoch.loss:.3f}, validation {epoch.rank[0]:.3f} "
                f"(log loss {epoch.log_loss:.3f}), best {best:.3f}{rate}"
            )

    def _curves(self) -> str:
        trained = [epoch.loss for epoch in self._epochs if epoch.loss is not None]
        if len(trained) < FEWEST_DRAWN:
            return ""
        ranked = [epoch.rank[0] for epoch in self._epochs]
        series = {"training loss": trained, f"validation {self._epochs[-1].ranked_by}": ranked}
        return chart(series, min(self.console.width, CURVES_WIDTH), CURVES_HEIGHT)
