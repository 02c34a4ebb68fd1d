"""Epochs as TensorBoard's event files, in ``RUN/tensorboard``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from linne.fit.tracking import metrics
from linne.records.epoch import Epoch

FOLDER = "tensorboard"


class TensorBoard:
    """A `linne.fit.tracking.Tracker`; ``tensorboard --logdir runs`` shows all runs of a folder.

    Parameters
    ----------
    folder : Path
        The run's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._began = folder / FOLDER, 0.0
        self._writer: EventFileWriter | None = None

    def start(self, params: Mapping[str, Any], done: Sequence[Epoch], began: float) -> None:
        """Begin anew: of a run that goes on, what came after its checkpoint must not stand there twice."""
        self._began = began
        for path in self._folder.glob("events.out.tfevents.*"):
            path.unlink()
        self._writer = EventFileWriter(str(self._folder))
        table = "\n".join([f"    {name}: {json.dumps(value)}" for name, value in params.items()])
        self._write(Summary(value=[text_pb("plan", table).value[0]]), 0, began)
        for epoch in done:
            self.epoch(epoch)

    def epoch(self, epoch: Epoch) -> None:
        """Write an epoch's numbers at once."""
        values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics(epoch).items()]
        self._write(Summary(value=values), epoch.epoch, self._began + epoch.seconds)

    def end(self, facts: Mapping[str, float]) -> None:
        """Write the last numbers and close the file."""
        values = [Summary.Value(tag=f"final/{name}", simple_value=value) for name, value in facts.items()]
        self._write(Summary(value=values), 0, time.time())
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, summary: Summary, step: int, at: float) -> None:
        if self._writer is not None:
            self._writer.add_event(Event(wall_time=at, step=step, summary=summary))
            self._writer.flush()
