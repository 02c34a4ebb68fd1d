"""Epochs as a run of MLflow, at MLflow's own tracking URI."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# A server that is gone costs seconds of the budget, not minutes; and nobody else is told that a run was made.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from mlflow import get_tracking_uri
from mlflow.entities import Metric, Param, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from linne.fit.tracking import metrics
from linne.records.atomic import read_json, write_json
from linne.records.epoch import Epoch
from linne.records.errors import RunError

EXPERIMENT = "linne"
KEPT = "mlflow.json"

LONGEST_VALUE = 6000
"""Characters of a parameter: MLflow's own limit."""


class MLflow:
    """A `linne.fit.tracking.Tracker`.

    The server is that of ``MLFLOW_TRACKING_URI``, or what MLflow does without one: a file in the current folder. The
    experiment is that of ``MLFLOW_EXPERIMENT_NAME``, or 'linne'.

    Parameters
    ----------
    folder : Path
        The linne run's; which MLflow run it is, is kept in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        kept = folder / KEPT
        known = read_json(kept, RunError, "delete it: the run is told anew") if kept.exists() else {}
        self._uri, self._run = known.get("tracking_uri", get_tracking_uri()), known.get("run_id", "")
        self._client = MlflowClient(self._uri)
        self._began, self._told = 0.0, set[int]()
        if not self._run:
            self._experiment = self._experiment_id(os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT)

    def start(self, params: Mapping[str, Any], done: Sequence[Epoch], began: float) -> None:
        """Begin a run, or go on with it: what it has been told, it is not told again."""
        self._began = began
        if self._run:
            self._client.update_run(self._run, status=RunStatus.to_string(RunStatus.RUNNING))
            self._told = {m.step for m in self._client.get_metric_history(self._run, "validation/accuracy")}
        else:
            tags = {"linne.run": str(self._folder), "mlflow.source.name": "linne fit"}
            run = self._client.create_run(
                self._experiment, start_time=round(began * 1000), run_name=self._folder.name, tags=tags
            )
            self._run = run.info.run_id
            write_json(self._folder / KEPT, {"run_id": self._run, "tracking_uri": self._uri})
        # Again for a run that goes on: it may have been cut off before it could tell them. The same are no news.
        listed = [Param(name, str(value)[:LONGEST_VALUE]) for name, value in params.items() if value is not None]
        self._client.log_batch(self._run, params=listed)
        for epoch in done:
            self.epoch(epoch)

    def epoch(self, epoch: Epoch) -> None:
        """Log an epoch's numbers; its number is the step."""
        if epoch.epoch in self._told:
            return
        at = round((self._began + epoch.seconds) * 1000)
        values = [Metric(name, value, at, epoch.epoch) for name, value in metrics(epoch).items()]
        self._client.log_batch(self._run, metrics=values)
        self._told.add(epoch.epoch)

    def end(self, facts: Mapping[str, float]) -> None:
        """Log the last numbers; the run is finished."""
        for name, value in facts.items():
            self._client.log_metric(self._run, f"final/{name}", value)
        self._client.log_batch(self._run, tags=[RunTag("linne.finished", "true")])
        self._client.set_terminated(self._run)

    def _experiment_id(self, name: str) -> str:
        known = self._client.get_experiment_by_name(name)
        if known is None:
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:  # another process has just made it
                known = self._client.get_experiment_by_name(name)
                if known is None:
                    raise
        return str(known.experiment_id)
