"""A model on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from linne.records.errors import LinneError
from linne.runtime.cores import available_cores


class Session:
    """An ONNX model with one input, run on the CPU.

    Parameters
    ----------
    model : Path or bytes
    share_cores : bool
        Let idle threads sleep at once instead of spinning: slower for single images, faster where other threads
        (decoding) want the cores.
    threads : int, optional
        For one batch; by default one a core. Batches may be run by several callers at once.

    Raises
    ------
    LinneError
        ONNX Runtime does not take the model.
    """

    def __init__(self, model: Path | bytes, share_cores: bool = False, threads: int | None = None) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.log_severity_level = 3
        if share_cores:
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        source = model if isinstance(model, bytes) else str(model)
        try:
            self._session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            file = None if isinstance(model, bytes) else model
            raise LinneError("ONNX Runtime does not take the model", file=file, value=error) from error
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run a batch ``(n, channels, height, width)``; one array an output, in the model's order."""
        outputs: list[NDArray[np.float32]] = self._session.run(None, {self._input: batch})
        return outputs
