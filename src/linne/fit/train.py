"""The loop: train, validate, keep the best, stop on time or when told to, and go on from where it was."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any, NoReturn

import numpy as np
from torch import Tensor

from linne.fit.checkpoint import Checkpoints
from linne.fit.judge import Judge
from linne.fit.level import Level
from linne.fit.levels import VALIDATION_SPEED
from linne.fit.optimise import Trainer
from linne.fit.pace import Pace
from linne.fit.processes import ALONE, Processes
from linne.fit.sources import Batch
from linne.fit.step_losses import StepLosses
from linne.fit.stopping import stopping
from linne.records.errors import DataError, Stopped
from linne.records.progress import Progress

NOTED = 20
"""The progress line shows the mean loss of so many steps."""


@dataclass
class Position:
    """Where a run is: `batches` of `epoch` are done, with these `losses`; epochs go on from level to level.

    `stopped` says why the level before ended, as `Loop.run` gives it.
    """

    level: int = 0
    epoch: int = 1
    batches: int = 0
    losses: list[float] = field(default_factory=list)
    hurried: tuple[float, float] | None = None
    stopped: str = ""


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
        On that clock. Training stops there, in the middle of an epoch if need be, and earlier by what it takes to
        validate and to keep what has been trained.
    position : Position
    processes : Processes
        All leave the loop at the same step, for the reason that the first one has.
    failed : dict of int to str
        Rows of images that could not be read any more, and why: sources and validation add to it.
    """

    judge: Judge
    checkpoints: Checkpoints
    progress: Progress
    seed: int
    now: Callable[[], float]
    deadline: float | None
    position: Position
    processes: Processes = ALONE
    failed: dict[int, str] = field(default_factory=dict)

    def run(self, level: Level, patience: int) -> str:
        """Train a level to its end; the module then has the best weights so far.

        Ctrl-C ends the loop, not the run; of several processes it ends the run, since torchrun does not wait for more
        than that. Better is a higher validation accuracy (of several labels, mean average precision), or the same with
        a lower log loss, on the images that can still be read; the last epoch may be worse by the noise of these.

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
        trainer, stopped = level.trainer, "interrupt" if level.interrupted else ""
        if self.judge.best is None:
            stopped = self._judge_start(level) or stopped
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
            trainer.close()
        if stopped == "interrupt":
            self.judge.keep_best()  # the interrupt may have come in the middle of keeping, or before the epoch was told
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
        pace = Pace(level.epochs * level.batches, self.deadline, at.hurried)
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
        began, waited_before = self.now(), source.waited
        named = level.named if self.processes.first else None
        losses = StepLosses(at.losses, level.trainer.device.type == "cuda", at.epoch, named)
        # Closed here, whatever ends the steps: its threads read files, and the cache of pixels, that are closed next.
        with closing(source.epoch(at.epoch, at.batches)) as batches:
            trained, progress, stopped = self._steps(level, batches, pace, told, losses)
        losses.fetch()
        if not at.losses and not stopped and self.processes.first:
            raise DataError(
                "no training image can be read any more",
                value=next(iter(source.failed.values()), None),
                remedy="put the images back where they were",
            )
        last = self.judge.done[-1]
        judged = not trained and (last.level, last.epoch) == (at.level, at.epoch)  # before a signal that came then
        if at.losses and not judged:
            rate = trained / max(self.now() - began, 1e-9)
            waited = (source.waited - waited_before) / max(self.now() - began, 1e-9)
            final = pace.hurried is not None if stopped else at.epoch == level.first + level.epochs - 1
            self._judge(
                level, at.epoch, float(np.mean(at.losses)), rate, level.trainer.rate_at(progress), waited, final
            )
        return stopped

    def _steps(
        self, level: Level, batches: Iterator[Batch], pace: Pace, told: list[int], losses: StepLosses
    ) -> tuple[int, float, str]:
        """Train on batches; gives how many images that were, where in its schedule the level is, and why it stopped."""
        at, source = self.position, level.source
        began, waited_before, trained, progress = self.now(), source.waited, 0, 0.0
        for inputs, labels in batches:
            now = self.now()
            step = (at.epoch - level.first) * level.batches + at.batches
            pace.end = end = self._end(level, pace.seconds_a_step(step, now))
            over = end is not None and now > end
            own = (over, self.checkpoints.due(), pace.at(step, now)) if self.processes.first else (0, 0, 0)
            signals, images, late, due, progress = self.processes.sums([len(told), len(labels), *own])
            at.hurried = pace.hurried  # before a checkpoint is written
            if signals:
                losses.fetch()
                self._stop(level.trainer, told)
            if late:
                return trained, progress, "deadline"
            if due:
                losses.fetch()
                self.checkpoint(level.trainer)
            if not images:  # none of them can be read any more
                at.batches += 1
                continue
            mix = level.mixes(at.epoch, at.batches) if level.mixes else None
            which = self.seed, at.epoch, at.batches
            loss = level.trainer.step(inputs, labels, progress, which, mix, int(images))
            at.batches, trained = at.batches + 1, trained + int(images)
            losses.add(at.batches - 1, loss)
            waited = (source.waited - waited_before) / max(self.now() - began, 1e-9)
            self.progress.update((step + 1) * source.batch_size, self._note(waited))
        return trained, progress, ""

    def _end(self, level: Level, seconds_a_step: float | None) -> float | None:
        """When the last step must be over: what has been trained must be validated and kept, too."""
        if self.deadline is None:
            return None
        assert self.judge.best is not None  # noqa: S101 - the start has been judged
        rest = self.judge.seconds
        if seconds_a_step is not None and self.judge.done[-1].level != self.position.level:
            # The level before was validated on stored activations, perhaps: this one reads files.
            batches = len(self.judge.best.seen) / level.source.batch_size
            rest = max(rest, batches * seconds_a_step / VALIDATION_SPEED)
        return self.deadline - rest

    def _judge(
        self,
        level: Level,
        number: int,
        loss: float | None,
        rate: float | None,
        learning_rate: float | None = None,
        waited: float | None = None,
        final: bool = False,
    ) -> None:
        trainer, which = level.trainer, (self.position.level, number)
        with trainer.settled():
            self.judge.epoch(
                which, loss, rate, level.validate, trainer.predict, trainer.weights, learning_rate, waited, final
            )

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
        self.position = Position(**{**at, "hurried": hurried})
        self.failed |= dict(facts["failed"])
        return of("trainer")

    def checkpoint(self, trainer: Trainer | None) -> None:
        """Write all that is needed to go on from here; without a trainer, between levels."""
        tensors, judged = self.judge.state()
        tensors = {f"judge/{name}": value for name, value in tensors.items()}
        if trainer is not None:
            tensors |= {f"trainer/{name}": value for name, value in trainer.state().items()}
        self.gather_failed()
        if not self.processes.first:
            return
        facts = {"position": asdict(self.position), "judge": judged, "failed": list(self.failed.items())}
        self.checkpoints.write(tensors, {**facts, "seconds": self.now()})

    def gather_failed(self) -> None:
        """Let each process know all the images that could not be read."""
        for others in self.processes.gather(json.dumps(list(self.failed.items())).encode()):
            self.failed |= dict(json.loads(others))
