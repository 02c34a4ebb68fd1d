"""Which epoch is best, by validation images; what ``history.jsonl`` is told."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from linne.fit.processes import ALONE, Processes
from linne.fit.scoring import Each, Scoring, scoring_of
from linne.records.atomic import write_text
from linne.records.epoch import Epoch
from linne.records.truth import Truth

Predict = Callable[[Tensor], Tensor]
Validate = Callable[[Predict], tuple[NDArray[np.float32], NDArray[np.int64]]]
"""Given a function from inputs to logits, gives the logits of validation images, and which of them these are: all but
those that cannot be read any more, which stay out from then on."""


@dataclass(frozen=True)
class Best:
    """The best epoch and its weights, and what it says of each validation image that was `seen`."""

    epoch: Epoch
    weights: dict[str, Tensor]
    seen: NDArray[np.int64]
    each: Each

    def on(self, seen: NDArray[np.int64], scoring: Scoring) -> Best:
        """Score it on those of its images that are still seen."""
        kept = np.isin(self.seen, seen)
        still, each = self.seen[kept], {name: array[kept] for name, array in self.each.items()}
        epoch = replace(self.epoch, **asdict(scoring.mean(each, still)))
        return Best(epoch, self.weights, still, each)


class Judge:
    """Scores epochs on validation images and remembers the best.

    Parameters
    ----------
    truth : (m,) int64 array or (m, classes) uint8 array
        Labels of the validation images, one or several each.
    history : Path
        Takes one JSON line an epoch.
    keep : callable
        Called whenever the module is the best so far, and has the weights that are kept.
    now : callable
        Seconds since the run began.
    processes : Processes
        The first one's word on which epoch is best holds for all, and it alone writes.
    listeners : sequence of callable
        Each is told every epoch once it is in the history; what it raises ends the training.

    Attributes
    ----------
    done : list of Epoch
    best : Best or None
    validating, keeping : float
        Seconds that the last validation took, and the last time that an epoch was kept.
    """

    def __init__(
        self,
        truth: Truth,
        history: Path,
        keep: Callable[[], None],
        now: Callable[[], float],
        processes: Processes = ALONE,
        listeners: Sequence[Callable[[Epoch], None]] = (),
    ) -> None:
        self._processes, self._listeners = processes, listeners
        self._scoring, self._history, self._keep, self._now = scoring_of(truth), history, keep, now
        self.done: list[Epoch] = []
        self.best: Best | None = None
        self.validating, self.keeping = 0.0, 0.0
        self._kept: dict[str, Tensor] | None = None
        self._told = 0

    @property
    def seconds(self) -> float:
        """What it takes to judge an epoch that is the best so far."""
        return self.validating + self.keeping

    def epoch(
        self,
        which: tuple[int, int],
        loss: float | None,
        rate: float | None,
        validate: Validate,
        predict: Predict,
        weights: Callable[[], Mapping[str, Tensor]],
        learning_rate: float | None = None,
        waited: float | None = None,
        final: bool = False,
    ) -> None:
        """Judge an epoch, of the level and the number `which` says; the other numbers are those of `Epoch`.

        Better is what is right more often. Of many epochs the luckiest is no better than the others, though, so the
        `final` one, at a schedule's end, counts as better unless it is worse by more than noise, or than the start.
        """
        began = self._now()
        logits, seen = validate(predict)
        each = self._scoring.each(logits, seen)
        found = self._scoring.mean(each, seen)
        ended = self._now()
        self.validating = ended - began
        told_rate = None if rate is None else round(rate, 1)
        told_wait = None if waited is None else round(waited, 4)
        epoch = Epoch(
            *which,
            loss,
            found.accuracy,
            found.log_loss,
            round(ended, 3),
            told_rate,
            learning_rate,
            told_wait,
            found.average_precision,
        )
        self.done.append(epoch)
        if self.best is not None and len(seen) < len(self.best.seen):
            self.best = self.best.on(seen, self._scoring)
        better = self.best is None
        # A network that says NaN seems to be right on the first class: that is where `argmax` then points.
        if self.best is not None and math.isfinite(epoch.log_loss):
            better = epoch.rank > self.best.epoch.rank
            if final and epoch.rank > self.done[0].rank:
                better = better or self._scoring.as_good(each, self.best.each)
        if self._processes.told(better)[0]:
            # One assignment, for an interrupt may come before or after it.
            copied = {name: value.detach().clone() for name, value in weights().items()}
            self.best = Best(epoch, copied, seen, each)
            self.keep_best()
            self.keeping = self._now() - ended
        self.tell()

    def keep_best(self) -> None:
        """Keep the best epoch's weights, which the module has, unless they are kept already."""
        assert self.best is not None  # noqa: S101 - something has been judged
        if self._kept is not self.best.weights:
            self._keep()
            self._kept = self.best.weights

    def since_best(self, level: int) -> int:
        """Epochs of a level that were judged after the best one."""
        assert self.best is not None  # noqa: S101 - the start has been judged
        return sum(epoch.level == level and epoch.epoch > self.best.epoch.epoch for epoch in self.done)

    def tell(self) -> None:
        """Add to the history what it does not have yet, and tell those who listen; the first process does."""
        new = self.done[self._told :]
        if self._processes.first:
            with self._history.open("a", encoding="utf-8") as file:
                file.writelines(map(_line, new))
        self._told = len(self.done)
        for epoch in new:
            for listener in self._listeners:
                listener(epoch)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and plain values that `load` needs."""
        facts: dict[str, Any] = {
            "done": [asdict(epoch) for epoch in self.done],
            "validating": self.validating,
            "keeping": self.keeping,
        }
        if self.best is None:
            return {}, facts
        arrays = {"seen": self.best.seen, **{f"each/{name}": array for name, array in self.best.each.items()}}
        tensors = {f"weights/{name}": value for name, value in self.best.weights.items()}
        tensors |= {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        return tensors, {**facts, "best": asdict(self.best.epoch)}

    def load(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Go on from what `state` gave; the history is cut back to what was done then."""
        self.done = [Epoch(**line) for line in facts["done"]]
        self.validating, self.keeping = facts["validating"], facts["keeping"]
        if "best" in facts:
            weights = {name.removeprefix("weights/"): v for name, v in tensors.items() if name.startswith("weights/")}
            each = {name.removeprefix("each/"): v.numpy() for name, v in tensors.items() if name.startswith("each/")}
            self.best = Best(Epoch(**facts["best"]), weights, tensors["seen"].numpy(), each)
        if self._processes.first:
            write_text(self._history, "".join(map(_line, self.done)))
        self._told = len(self.done)


def _line(epoch: Epoch) -> str:
    # JSON has no word for what a network says that diverged in the very last step.
    told = {name: value if value is None or math.isfinite(value) else None for name, value in asdict(epoch).items()}
    if epoch.average_precision is None:
        del told["average_precision"]  # of one label an image
    return json.dumps(told) + "\n"
