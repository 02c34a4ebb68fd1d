"""The loop: train, validate, keep the best, stop on time or when told to, and go on from where it was."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from linne.fit.checkpoint import Checkpoints
from linne.fit.judge import Judge, Validate
from linne.fit.mixing import Mix
from linne.fit.optimise import Trainer
from linne.fit.pace import Pace
from linne.fit.processes import ALONE, Processes
from linne.fit.sources import Source
from linne.fit.stopping import stopping
from linne.records.errors import DataError, DivergedError, Stopped
from linne.records.progress import Progress

NOTED = 20
"""The progress line shows the mean loss of so many steps."""

LOOKED_AT_EVERY = 16
"""Steps after which losses are fetched from a GPU: each time it is waited for."""


@dataclass
class Position:
    """Where a run is: `batches` of `epoch` are done, with these `losses`; epochs go on from level to level."""

    level: int = 0
    epoch: int = 1
    batches: int = 0
    losses: list[float] = field(default_factory=list)
    hurried: tuple[float, float] | None = None


@dataclass(frozen=True)
class Level:
    """One level of training, ready to go.

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
    """

    trainer: Trainer
    source: Source
    validate: Validate
    first: int
    epochs: int
    mixes: Callable[[int, int], Mix] | None
    named: Callable[[int, int], Sequence[str]]

    @property
    def batches(self) -> int:
        """Of an epoch."""
        return max(self.source.images // self.source.batch_size, 1)


@dataclass
class Loop:
    """Trains a level.

    Attributes
    ----------
    judge : Judge
    checkpoints : Checkpoints
    progress : Progress
    seed : int
    now : callable
        Seconds since the run began, those of processes that were killed counted in.
    deadline : float or None
        On that clock. Training stops there, in the middle of an epoch if need be, and earlier by what the last
        validation took.
    position : Position
    processes : Processes
        All leave the loop at the same step, for the reason that the first one has.
    """

    judge: Judge
    checkpoints: Checkpoints
    progress: Progress
    seed: int
    now: Callable[[], float]
    deadline: float | None
    position: Position
    processes: Processes = ALONE

    def run(self, level: Level, patience: int) -> str:
        """Train a level to its end; the module then has the best weights so far.

        Ctrl-C ends the loop, not the run; of several processes it ends the run, since torchrun does not wait for more
        than that. Better is a higher validation accuracy (of several labels, mean average precision), or the same with
        a lower log loss, on the images that can still be read.

        Returns
        -------
        str
            Why it stopped: '' at its end, 'deadline', 'interrupt', or 'patience'.

        Raises
        ------
        DivergedError
            The loss or its gradient is no number.
        Stopped
            The process was told to end; there is a checkpoint.
        """
        trainer, stopped = level.trainer, ""
        if self.judge.best is None:
            stopped = self._judge_start(level)
        self.progress.start("train", level.epochs * level.batches * level.source.batch_size, "images")
        try:
            with stopping(ctrl_c=not self.processes.alone) as told:
                stopped = stopped or self._epochs(level, patience, told)
                if self.processes.sums([len(told)])[0]:
                    self._stop(trainer, told)
        except KeyboardInterrupt:
            stopped = "interrupt"
        finally:
            self.progress.finish()
            assert self.judge.best is not None  # noqa: S101 - the start has been judged
            trainer.take(self.judge.best.weights)
            trainer.module.eval()
        if stopped == "interrupt":
            self.judge.keep()  # the interrupt may have come in the middle of keeping, or before the epoch was told
            self.judge.tell()
        return stopped

    def _judge_start(self, level: Level) -> str:
        """What is shipped must be judged; a second Ctrl-C ends the run."""
        try:
            self._judge(level, 0, None, None)
        except KeyboardInterrupt:
            if not self.processes.alone:
                raise
            if self.judge.best is None:
                self._judge(level, 0, None, None)
            return "interrupt"
        return ""

    def _epochs(self, level: Level, patience: int, told: list[int]) -> str:
        at, last = self.position, level.first + level.epochs - 1
        end = None if self.deadline is None else self.deadline - self.judge.seconds
        pace = Pace(level.epochs * level.batches, end, at.hurried)
        while at.epoch <= last:
            if patience and self.judge.since_best(at.level) >= patience:
                return "patience"
            stopped = self._epoch(level, pace, told)
            if stopped:
                return stopped
            at.epoch, at.batches, at.losses = at.epoch + 1, 0, []
            if self.processes.told(self.checkpoints.due())[0]:
                self.checkpoint(level.trainer)
        return ""

    def _epoch(self, level: Level, pace: Pace, told: list[int]) -> str:
        at, source = self.position, level.source
        began, waited_before, trained = self.now(), source.waited, 0
        fetched = _Losses(at.losses, level.trainer.device.type == "cuda")
        stopped, progress = "", 0.0
        for inputs, labels in source.epoch(at.epoch, at.batches):
            now = self.now()
            step = (at.epoch - level.first) * level.batches + at.batches
            # What has been trained must be validated too.
            over = self.deadline is not None and now + self.judge.seconds > self.deadline
            own = (over, self.checkpoints.due(), pace.at(step, now)) if self.processes.first else (0, 0, 0)
            signals, images, late, due, progress = self.processes.sums([len(told), len(labels), *own])
            if signals:
                fetched.fetch(self, level)
                self._stop(level.trainer, told)
            if late:
                stopped = "deadline"
                break
            if due:
                fetched.fetch(self, level)
                self.checkpoint(level.trainer)
            at.hurried = pace.hurried
            if not images:  # none of them can be read any more
                at.batches += 1
                continue
            mix = level.mixes(at.epoch, at.batches) if level.mixes else None
            fetched.add(
                level.trainer.step(inputs, labels, progress, (self.seed, at.epoch, at.batches), mix, int(images))
            )
            at.batches, trained = at.batches + 1, trained + int(images)
            fetched.fetch_if_due(self, level)
            waited = (source.waited - waited_before) / max(self.now() - began, 1e-9)
            self.progress.update((step + 1) * source.batch_size, self._note(waited))
        fetched.fetch(self, level)
        if not at.losses and not stopped and self.processes.first:
            raise DataError(
                "no training image can be read any more",
                value=next(iter(source.failed.values()), None),
                remedy="put the images back where they were",
            )
        if at.losses:
            rate = trained / max(self.now() - began, 1e-9)
            waited = (source.waited - waited_before) / max(self.now() - began, 1e-9)
            self._judge(level, at.epoch, float(np.mean(at.losses)), rate, level.trainer.rate_at(progress), waited)
        return stopped

    def _judge(
        self,
        level: Level,
        number: int,
        loss: float | None,
        rate: float | None,
        learning_rate: float | None = None,
        waited: float | None = None,
    ) -> None:
        trainer = level.trainer
        with trainer.settled():
            which = (self.position.level, number)
            self.judge.epoch(which, loss, rate, level.validate, trainer.predict, trainer.weights, learning_rate, waited)

    def _stop(self, trainer: Trainer, told: list[int]) -> NoReturn:
        """Write a checkpoint and end, all processes at once."""
        self.checkpoint(trainer)
        self.processes.wait()
        raise Stopped(told[0] if told else signal.SIGTERM)

    def _note(self, waited: float) -> str:
        best = self.judge.best
        recent = self.position.losses[-NOTED:]
        loss = f"loss {np.mean(recent):.3f}  " if recent else ""
        return f"{loss}validation {best.epoch.rank[0] if best else 0:.3f}  waiting for data {waited:.0%}"

    def resume(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> dict[str, Tensor]:
        """Go on from what `checkpoint` wrote; gives the trainer's state, which is empty between levels."""

        def of(part: str) -> dict[str, Tensor]:
            return {name.removeprefix(f"{part}/"): v for name, v in tensors.items() if name.startswith(f"{part}/")}

        self.judge.load(of("judge"), facts["judge"])
        at = facts["position"]
        hurried = None if at["hurried"] is None else (float(at["hurried"][0]), float(at["hurried"][1]))
        self.position = Position(at["level"], at["epoch"], at["batches"], list(at["losses"]), hurried)
        return of("trainer")

    def checkpoint(self, trainer: Trainer | None) -> None:
        """Write all that is needed to go on from here; without a trainer, between levels."""
        tensors, judged = self.judge.state()
        tensors = {f"judge/{name}": value for name, value in tensors.items()}
        if trainer is not None:
            tensors |= {f"trainer/{name}": value for name, value in trainer.state().items()}
        if not self.processes.first:
            return
        at = self.position
        position = {"level": at.level, "epoch": at.epoch, "batches": at.batches, "losses": at.losses}
        self.checkpoints.write(
            tensors, {"position": position | {"hurried": at.hurried}, "judge": judged, "seconds": self.now()}
        )


class _Losses:
    """Losses of steps; those on a GPU are fetched now and then, so that it is not waited for at each step."""

    def __init__(self, into: list[float], remote: bool) -> None:
        self._into, self._every = into, LOOKED_AT_EVERY if remote else 1
        self._open: list[Tensor] = []

    def add(self, loss: Tensor) -> None:
        self._open.append(loss)

    def fetch_if_due(self, loop: Loop, level: Level) -> None:
        if len(self._open) >= self._every:
            self.fetch(loop, level)

    def fetch(self, loop: Loop, level: Level) -> None:
        """Take them over; `LinneError` where one is no number."""
        if not self._open:
            return
        values = torch.stack(self._open).tolist()
        self._open.clear()
        first = len(self._into)
        self._into.extend(values)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad) and loop.processes.first:
            epoch, batch = loop.position.epoch, first + int(bad[0])
            images = ", ".join(level.named(epoch, batch))
            raise DivergedError(
                "the loss or its gradient is no number",
                value=f"epoch {epoch}, batch {batch}: {images}",
                remedy="take a smaller learning_rate, or look at the images with `linne audit`; the best weights "
                "so far are in the run",
            )
