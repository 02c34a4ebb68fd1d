"""The loop: train, validate, keep the best, stop on time or when told to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from linne.fit.mixing import Mix
from linne.fit.optimise import Trainer
from linne.fit.probe import scores
from linne.fit.sources import Source
from linne.records.errors import DataError, LinneError
from linne.records.progress import Progress

Predict = Callable[[Tensor], Tensor]
Validate = Callable[[Predict], tuple[NDArray[np.float32], NDArray[np.int64]]]
"""Given a function from inputs to logits, gives the logits of validation images, and which of them these are: all but
those that cannot be read any more, which stay out from then on."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of ``history.jsonl``; epoch 0 is the start.

    `loss` is the mean training loss, `accuracy` and `log_loss` are on the validation images that could be read then,
    `rate` is training images a second.
    """

    epoch: int
    loss: float | None
    accuracy: float
    log_loss: float
    seconds: float
    rate: float | None


@dataclass(frozen=True)
class Outcome:
    """How training ended.

    Attributes
    ----------
    best : Epoch
        The epoch whose weights the module has now, scored on the validation images that the last epoch could read.
    epochs : tuple of Epoch
        As they were scored at the time.
    stopped : {'', 'deadline', 'interrupt'}
    """

    best: Epoch
    epochs: tuple[Epoch, ...]
    stopped: str


def train(
    trainer: Trainer,
    source: Source,
    epochs: int,
    validate: Validate,
    truth: NDArray[np.int64],
    deadline: float | None,
    history: Path,
    keep: Callable[[], None],
    progress: Progress,
    mixes: Callable[[int, int], Mix] | None = None,
) -> Outcome:
    """Train for some epochs and leave the module with its best weights.

    Parameters
    ----------
    trainer : Trainer
    source : Source
    epochs : int
    validate : Validate
    truth : (m,) int64 array
        Their labels.
    deadline : float, optional
        On `time.monotonic`'s clock; training stops there, in the middle of an epoch if need be, and earlier by
        what the last validation took.
    history : Path
        Takes one JSON line an epoch.
    keep : callable
        Called whenever the module is the best so far.
    progress : Progress
    mixes : callable, optional
        Given epoch and batch, how images of the batch are mixed.

    Notes
    -----
    Better is a higher validation accuracy, or the same with a lower log loss, on the images that can still be read.
    Ctrl-C ends the loop, not the run.

    Raises
    ------
    LinneError
        The loss is no number.
    """
    judge = _Judge(trainer, validate, truth, history, keep)
    stopped = ""
    try:
        judge.epoch(0, None, time.monotonic(), 0)
    except KeyboardInterrupt:
        stopped = "interrupt"
        if judge.best is None:  # what is shipped must be judged; a second Ctrl-C ends the run
            judge.epoch(0, None, time.monotonic(), 0)
    assert judge.best is not None  # noqa: S101 - the start has been judged
    batches = max(source.images // source.batch_size, 1)
    progress.start("train", epochs * batches * source.batch_size, "images")
    try:
        for number in range(1, epochs + 1):
            if stopped:
                break
            losses, began, waited_before = [], time.monotonic(), source.waited
            for place, (inputs, labels) in enumerate(source.epoch(number)):
                # What has been trained must be validated too.
                if deadline is not None and time.monotonic() + judge.seconds > deadline:
                    stopped = "deadline"
                    break
                part = ((number - 1) * batches + place) / (epochs * batches)
                losses.append(trainer.step(inputs, labels, part, mixes(number, place) if mixes else None))
                if not np.isfinite(losses[-1]):
                    raise LinneError(
                        "the loss is no number",
                        value=f"epoch {number}, batch {place}",
                        remedy="look at the images with `linne audit`; the best weights so far are in the run",
                    )
                waited = (source.waited - waited_before) / max(time.monotonic() - began, 1e-9)
                note = f"loss {np.mean(losses[-20:]):.3f}  validation {judge.best.epoch.accuracy:.3f}"
                note += f"  waiting for data {waited:.0%}"
                progress.update(((number - 1) * batches + place + 1) * source.batch_size, note)
            if not losses and not stopped:
                raise DataError(
                    "no training image can be read any more",
                    value=next(iter(source.failed.values()), None),
                    remedy="put the images back where they were",
                )
            if losses:
                judge.epoch(number, float(np.mean(losses)), began, len(losses) * source.batch_size)
    except KeyboardInterrupt:
        stopped = "interrupt"
    finally:
        progress.finish()
        trainer.module.load_state_dict(judge.best.weights)
        trainer.mode(training=False)
    if stopped == "interrupt":
        keep()  # the interrupt may have come in the middle of keeping, or before the epoch was told
        judge.tell()
    return Outcome(judge.best.epoch, tuple(judge.done), stopped)


@dataclass(frozen=True)
class _Best:
    """The best epoch and its weights; of each validation image that was `seen`, whether it was right, and its loss."""

    epoch: Epoch
    weights: dict[str, Tensor]
    seen: NDArray[np.int64]
    right: NDArray[np.bool_]
    losses: NDArray[np.float64]

    def on(self, seen: NDArray[np.int64]) -> _Best:
        """Score it on those of its images that are still seen."""
        kept = np.isin(self.seen, seen)
        right, losses = self.right[kept], self.losses[kept]
        epoch = replace(self.epoch, accuracy=float(right.mean()), log_loss=float(losses.mean()))
        return _Best(epoch, self.weights, self.seen[kept], right, losses)


class _Judge:
    """Scores epochs on validation images and remembers the best.

    Attributes
    ----------
    done : list of Epoch
    best : _Best or None
    seconds : float
        What the last validation took.
    """

    def __init__(
        self, trainer: Trainer, validate: Validate, truth: NDArray[np.int64], history: Path, keep: Callable[[], None]
    ) -> None:
        self._trainer, self._validate, self._truth = trainer, validate, truth
        self._history, self._keep = history, keep
        self._start = time.monotonic()
        self.done: list[Epoch] = []
        self.best: _Best | None = None
        self.seconds = 0.0
        self._told = 0

    def epoch(self, number: int, loss: float | None, began: float, images: int) -> None:
        """Judge an epoch that `began` at a time and took in some images."""
        trained = time.monotonic() - began
        logits, seen = self._validate(self._trainer.predict)
        right, losses = scores(logits, self._truth[seen])
        self.seconds = time.monotonic() - began - trained
        spent = round(time.monotonic() - self._start, 3)
        rate = round(images / max(trained, 1e-9), 1) if images else None
        epoch = Epoch(number, loss, float(right.mean()), float(losses.mean()), spent, rate)
        self.done.append(epoch)
        if self.best is not None and len(seen) < len(self.best.seen):
            self.best = self.best.on(seen)
        if self.best is None or _rank(epoch) > _rank(self.best.epoch):
            # One assignment, for an interrupt may come before or after it.
            self.best = _Best(epoch, _snapshot(self._trainer), seen, right, losses)
            self._keep()
        self.tell()

    def tell(self) -> None:
        """Add to the history what it does not have yet."""
        with self._history.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(epoch)) + "\n" for epoch in self.done[self._told :])
        self._told = len(self.done)


def _rank(epoch: Epoch) -> tuple[float, float]:
    """Higher is better."""
    return epoch.accuracy, -epoch.log_loss


def _snapshot(trainer: Trainer) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in trainer.module.state_dict().items()}
