"""The loop: train, validate, keep the best, stop on time or when told to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from linne.fit.optimise import Trainer
from linne.fit.probe import score
from linne.fit.sources import Source
from linne.records.errors import LinneError
from linne.records.progress import Progress


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of ``history.jsonl``; epoch 0 is the start.

    `loss` is the mean training loss, `accuracy` and `log_loss` are on validation images, `rate` is training images
    a second.
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
        The epoch whose weights the module has now.
    epochs : tuple of Epoch
    stopped : {'', 'deadline', 'interrupt'}
    """

    best: Epoch
    epochs: tuple[Epoch, ...]
    stopped: str


def train(
    trainer: Trainer,
    source: Source,
    epochs: int,
    validate: Callable[[Callable[[Tensor], Tensor]], NDArray[np.float32]],
    truth: NDArray[np.int64],
    deadline: float | None,
    history: Path,
    keep: Callable[[], None],
    progress: Progress,
) -> Outcome:
    """Train for some epochs and leave the module with its best weights.

    Parameters
    ----------
    trainer : Trainer
    source : Source
    epochs : int
    validate : callable
        Given a function from inputs to logits, gives the logits of all validation images.
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

    Notes
    -----
    Better is a higher validation accuracy, or the same with a lower log loss. Ctrl-C ends the loop, not the run.

    Raises
    ------
    LinneError
        The loss is no number.
    """
    done: list[Epoch] = []
    best: tuple[Epoch, dict[str, Tensor]] | None = None
    validating = 0.0
    stopped = ""
    start = time.monotonic()

    def judge(number: int, loss: float | None, began: float, images: int) -> None:
        nonlocal best, validating
        trained = time.monotonic() - began
        accuracy, log_loss = score(validate(trainer.predict), truth)
        validating = time.monotonic() - began - trained
        epoch = Epoch(
            number,
            loss,
            accuracy,
            log_loss,
            round(time.monotonic() - start, 3),
            round(images / max(trained, 1e-9), 1) if images else None,
        )
        done.append(epoch)
        if best is None or _rank(epoch) > _rank(best[0]):
            best = epoch, _snapshot(trainer)  # one assignment, for an interrupt may come before or after it
            keep()
        with history.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(epoch)) + "\n")

    judge(0, None, start, 0)
    assert best is not None  # noqa: S101 - the start has been judged
    batches = max(source.images // source.batch_size, 1)
    progress.start("train", epochs * batches * source.batch_size, "images")
    try:
        for number in range(1, epochs + 1):
            losses, began = [], time.monotonic()
            for place, (inputs, labels) in enumerate(source.epoch(number)):
                # What has been trained must be validated too.
                if deadline is not None and time.monotonic() + validating > deadline:
                    stopped = "deadline"
                    break
                losses.append(trainer.step(inputs, labels, ((number - 1) * batches + place) / (epochs * batches)))
                if not np.isfinite(losses[-1]):
                    raise LinneError(
                        "the loss is no number",
                        value=f"epoch {number}, batch {place}",
                        remedy="look at the images with `linne audit`; the best weights so far are in the run",
                    )
                note = f"loss {np.mean(losses[-20:]):.3f}  validation {best[0].accuracy:.3f}"
                progress.update(((number - 1) * batches + place + 1) * source.batch_size, note)
            if losses:
                judge(number, float(np.mean(losses)), began, len(losses) * source.batch_size)
            if stopped:
                break
    except KeyboardInterrupt:
        stopped = "interrupt"
    finally:
        progress.finish()
        trainer.module.load_state_dict(best[1])
        trainer.mode(training=False)
    if stopped == "interrupt":
        keep()  # the interrupt may have come in the middle of keeping
    return Outcome(best[0], tuple(done), stopped)


def _rank(epoch: Epoch) -> tuple[float, float]:
    """Higher is better."""
    return epoch.accuracy, -epoch.log_loss


def _snapshot(trainer: Trainer) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in trainer.module.state_dict().items()}
