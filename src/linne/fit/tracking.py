"""What follows a training from outside: TensorBoard, MLflow. None of them can end it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from linne.records.epoch import Epoch
from linne.records.errors import InstallError

TrackerName = Literal["tensorboard", "mlflow"]
TRACKERS: tuple[TrackerName, ...] = get_args(TrackerName)


class Tracker(Protocol):
    """Takes what a run does to where it is looked at."""

    def start(self, params: Mapping[str, Any], done: Sequence[Epoch], began: float) -> None:
        """Begin, or go on after the epochs that are `done`.

        `params` is the plan, flat; `began` is when the run began, in seconds since 1970, the time of processes that
        were cut off counted in.
        """

    def epoch(self, epoch: Epoch) -> None:
        """Take an epoch."""

    def end(self, facts: Mapping[str, float]) -> None:
        """Take the last numbers; the run is finished."""


class Trackers:
    """Those that a run was asked for. One that fails is told of once, and left: training goes on.

    Parameters
    ----------
    names : sequence of {'tensorboard', 'mlflow'}
    folder : Path
        The run's.
    say : callable
        Takes a line that stays on the screen.

    Raises
    ------
    InstallError
        A package is missing.
    """

    def __init__(self, names: Sequence[TrackerName], folder: Path, say: Callable[[str], None]) -> None:
        self._say, self._began = say, 0.0
        self._open: dict[str, Tracker] = {}
        for name in names:
            self._try(name, lambda name=name: self._open.update({name: _made(name, folder)}))  # type: ignore[misc]

    def start(self, params: Mapping[str, Any], done: Sequence[Epoch], began: float) -> None:
        """Begin with all; see `Tracker`."""
        self._each(lambda tracker: tracker.start(params, done, began))

    def epoch(self, epoch: Epoch) -> None:
        """Tell all of an epoch."""
        self._each(lambda tracker: tracker.epoch(epoch))

    def end(self, facts: Mapping[str, float]) -> None:
        """Tell all that the run is finished."""
        self._each(lambda tracker: tracker.end(facts))

    def _each(self, told: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._open.items()):
            self._try(name, lambda tracker=tracker: told(tracker))  # type: ignore[misc]

    def _try(self, name: str, call: Callable[[], None]) -> None:
        try:
            call()
        except InstallError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a server or another's package does, the training is worth more
            self._open.pop(name, None)
            self._say(f"{name}: {' '.join(str(error).split()) or type(error).__name__}; the run goes on without it")


def metrics(epoch: Epoch) -> dict[str, float]:
    """An epoch's numbers by the names under which they are tracked; what is not known is left out."""
    names = {name: f"validation/{name}" for name in ("accuracy", "log_loss", "average_precision")}
    told = {field.name: getattr(epoch, field.name) for field in fields(epoch) if field.name not in ("epoch", "level")}
    return {names.get(name, f"train/{name}"): float(value) for name, value in told.items() if value is not None}


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings as one level: ``levels.0.learning_rate``."""
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
            value = {str(place): item for place, item in enumerate(value)}
        plain |= flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return plain


def _made(name: TrackerName, folder: Path) -> Tracker:
    """Import it: only where it is asked for, since it takes its time."""
    try:
        if name == "tensorboard":
            from linne.fit.to_tensorboard import TensorBoard

            return TensorBoard(folder)
        from linne.fit.to_mlflow import MLflow

        return MLflow(folder)
    except ModuleNotFoundError as error:
        if (error.name or "linne").split(".")[0] == "linne":
            raise
        raise InstallError(
            f"--{name} needs {error.name}, which is not installed", remedy=f'pip install "linne[{name}]"'
        ) from error
