"""What a search for a recipe has tried: ``trials.jsonl``, a line when a trial begins and another when it ends."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from linne.records.errors import RunError, WriteError

State = Literal["running", "complete", "pruned", "failed", "stopped"]
STATES: tuple[State, ...] = get_args(State)
Value = float | str


@dataclass(frozen=True, slots=True)
class Trial:
    """One recipe that was tried.

    Attributes
    ----------
    number : int
        From 0.
    network, method : str
        By the names that the search has for them.
    values : dict
        Where in the space of the search it lies (`linne.fit.space`).
    as_planned : bool
        It is the planner's own recipe.
    state : {'running', 'complete', 'pruned', 'failed', 'stopped'}
        One that was pruned was given up, being worse than others were at the same point; the loss of one that failed
        was no number; one that was stopped was running when its process ended, or had no time for a step.
    score : float or None
        Of the epoch that is best by accuracy, the start aside: a probe would hide what a recipe does. See `score_of`.
    accuracy, log_loss : float or None
        On validation images, of that epoch.
    epoch : int or None
        Which it was.
    seconds : float
        What the trial took.
    reported : tuple of (int, float)
        Scores of epochs, by eighths of the training.
    why : str
        What made it fail, or stop.
    """

    number: int
    network: str
    method: str
    values: dict[str, Value]
    as_planned: bool = False
    state: State = "running"
    score: float | None = None
    accuracy: float | None = None
    log_loss: float | None = None
    epoch: int | None = None
    seconds: float = 0.0
    reported: tuple[tuple[int, float], ...] = ()
    why: str = ""


def score_of(accuracy: float, log_loss: float) -> float:
    """Give one number in [0, 1] for an epoch: the mean of accuracy and of the true classes' geometric mean probability.

    Accuracy alone is what is asked for, but on a few hundred images it moves in steps that are mostly chance; log loss
    alone punishes a doubt that calibration takes away.
    """
    return (accuracy + math.exp(-log_loss)) / 2 if math.isfinite(log_loss) else accuracy / 2


def best_of(trials: list[Trial]) -> Trial | None:
    """The complete trial with the highest score, the earliest of equals; None before there is one."""
    complete = [trial for trial in trials if trial.state == "complete" and trial.score is not None]
    return max(complete, key=lambda trial: (trial.score or 0.0, -trial.number), default=None)


class TrialLog:
    """Trials in a file.

    A line that a kill has cut off is dropped. A trial that began and never ended is stopped; it may be why its process
    ended, so it is not tried again.

    Parameters
    ----------
    path : Path

    Raises
    ------
    RunError
        The file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._by_number: dict[int, Trial] = {}
        text = path.read_bytes() if path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]
        for line in whole.splitlines():
            trial = _trial(line, path)
            self._by_number[trial.number] = trial
        if len(whole) < len(text):
            with path.open("r+b") as file:
                file.truncate(len(whole))
        for trial in self.trials:
            if trial.state == "running":
                self.add(replace(trial, state="stopped"))

    @property
    def trials(self) -> list[Trial]:
        """All, in their order."""
        return [self._by_number[number] for number in sorted(self._by_number)]

    def add(self, trial: Trial) -> None:
        """Write a line, to the disk; `WriteError` where it cannot be."""
        try:
            with self._path.open("ab") as file:
                file.write(json.dumps(asdict(trial), allow_nan=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise WriteError(
                f"could not be written: {error.strerror or error}", file=self._path, remedy="free some space"
            ) from error
        self._by_number[trial.number] = trial


def _trial(line: bytes, path: Path) -> Trial:
    try:
        value: dict[str, Any] = json.loads(line)
        trial = Trial(**{**value, "reported": tuple((int(step), float(score)) for step, score in value["reported"])})
        known = trial.state in STATES and isinstance(trial.values, dict)
        if not known or not isinstance(trial.number, int) or (trial.state == "complete") > (trial.score is not None):
            raise ValueError("is no trial")
    except (ValueError, TypeError, KeyError) as error:
        raise RunError("is damaged", file=path, value=error, remedy="search in another --folder") from error
    return trial
