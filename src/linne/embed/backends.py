"""Three ways to run the same frozen network: eager, compiled, ONNX Runtime."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from linne.nets.to_onnx import to_onnx
from linne.records.pixel_spec import PixelSpec
from linne.runtime.session import Session

BATCH = 32
"""Every batch has this many images, the last one padded: compiled graphs keep their shape, and an image's result
does not depend on how many came with it."""

Backend = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]


def device() -> torch.device:
    """Where torch computes: the first GPU, or else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def eager(module: nn.Module, _: PixelSpec) -> Backend:
    """Plain PyTorch, channels last."""
    return _torch(module, compiled=False)


def compiled(module: nn.Module, _: PixelSpec) -> Backend:
    """`torch.compile`: fast after most of a minute of compiling."""
    return _torch(module, compiled=True)


def onnx(module: nn.Module, pixels: PixelSpec) -> Backend:
    """ONNX Runtime on the CPU: batch norms folded, layouts chosen for the processor."""
    module = copy.deepcopy(module).cpu()
    example = torch.zeros(1, pixels.channels, pixels.height, pixels.width)
    outputs = [f"output_{i}" for i in range(len(module(example)))]
    with tempfile.TemporaryDirectory(prefix="linne-") as folder:
        graph = Path(folder, "features.onnx")
        to_onnx(module, example, graph, outputs)
        return Session(graph.read_bytes(), share_cores=True).run


def _torch(module: nn.Module, compiled: bool) -> Backend:
    where = device()
    # A copy: the caller's network stays where it is, and what is done to it later does not change the features.
    module = copy.deepcopy(module).to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
    call = torch.compile(module, dynamic=False) if compiled else module

    def run(batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        with torch.inference_mode():
            images = torch.from_numpy(batch).to(where, memory_format=torch.channels_last)
            return [output.float().cpu().numpy() for output in call(images)]

    return run


BACKENDS: dict[str, Callable[[nn.Module, PixelSpec], Backend]] = {"eager": eager, "onnx": onnx, "compiled": compiled}
