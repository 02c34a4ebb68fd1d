"""Four ways to run the same frozen network: eager, compiled, ONNX Runtime, and OpenVINO where it is installed."""

from __future__ import annotations

import copy
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from linne.embed.way import Way
from linne.nets.blocks.branches import fold
from linne.nets.blocks.fold_norms import fold_norms
from linne.nets.to_onnx import to_onnx
from linne.records.pixel_spec import PixelSpec
from linne.runtime.cores import available_cores
from linne.runtime.session import Session

Backend = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]
"""A batch ``(way.batch, channels, height, width)`` to one array an output, for `way.callers` threads at once."""


def device() -> torch.device:
    """Where torch computes: the first GPU, or else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_openvino() -> bool:
    """Whether OpenVINO is installed."""
    return find_spec("openvino") is not None


@contextmanager
def full_precision() -> Iterator[None]:
    """Let a GPU's convolutions round as float32 does; PyTorch's default, TF32, keeps 10 bits of 23.

    Features are stored, and a classifier found on them runs on a CPU later. Training itself stays in TF32.
    """
    convolutions: Any = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = convolutions.fp32_precision
    try:
        convolutions.fp32_precision = "ieee"
        yield
    finally:
        convolutions.fp32_precision = before


class Builder:
    """Makes a network ready to run, in any way.

    Parameters
    ----------
    module : torch.nn.Module
        Gives a tuple of tensors. It is copied: the caller's stays as it is, and what is done to it later does not
        change the features.
    pixels : PixelSpec
        The size of the input.
    """

    def __init__(self, module: nn.Module, pixels: PixelSpec) -> None:
        self._module, self._pixels = module, pixels

    def build(self, way: Way) -> Backend:
        """Make it ready; raises anything where it does not run here that way."""
        match way.backend:
            case "onnx":
                threads = max(1, available_cores() // way.callers)
                return Session(self._graph, share_cores=True, threads=threads).run
            case "openvino":
                return self._openvino(way)
            case "eager" | "compiled":
                return self._torch(way)

    def plain(self) -> Backend:
        """Eager PyTorch with nothing folded or rounded: what all others must agree with."""
        return _on_torch(copy.deepcopy(self._module).to(device()), full_precision)

    @cached_property
    def _graph(self) -> bytes:
        """ONNX."""
        module = copy.deepcopy(self._module).cpu()
        example = torch.zeros(1, self._pixels.channels, self._pixels.height, self._pixels.width)
        with torch.inference_mode():
            outputs = [f"output_{i}" for i in range(len(module(example)))]
        with tempfile.TemporaryDirectory(prefix="linne-") as folder:
            graph = Path(folder, "features.onnx")
            to_onnx(module, example, graph, outputs)
            return graph.read_bytes()

    @cached_property
    def _folded(self) -> nn.Module:
        """Branches and batch norms in convolutions; as it is where that gives something else, or a part is watched."""
        plain = copy.deepcopy(self._module).cpu().eval()
        if any(part._forward_hooks for part in plain.modules()):
            return plain
        folded = copy.deepcopy(plain)
        fold(folded)
        fold_norms(folded)
        shape = (2, self._pixels.channels, self._pixels.height, self._pixels.width)
        images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            pairs = zip(plain(images), folded(images), strict=True)
            same = all(float((one - other).abs().max()) <= 1e-3 * float(one.abs().max()) for one, other in pairs)
        return folded if same else plain

    def _torch(self, way: Way) -> Backend:
        where = device()
        module = copy.deepcopy(self._folded).to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        call = torch.compile(module, dynamic=False) if way.backend == "compiled" else module
        rounded = way.precision == "bfloat16"
        return _on_torch(call, lambda: torch.autocast(where.type, torch.bfloat16) if rounded else full_precision())

    def _openvino(self, way: Way) -> Backend:
        core = _openvino_core()
        model = core.read_model(self._graph)
        model.reshape([way.batch, self._pixels.channels, self._pixels.height, self._pixels.width])
        settings = {
            "INFERENCE_PRECISION_HINT": "f32" if way.precision == "float32" else "bf16",
            "NUM_STREAMS": way.callers,
            "INFERENCE_NUM_THREADS": available_cores(),
        }
        compiled = core.compile_model(model, "CPU", settings)
        own = threading.local()  # a request runs one batch at a time

        def run(batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
            if not hasattr(own, "request"):
                own.request = compiled.create_infer_request()
            request = own.request
            request.infer([batch], share_inputs=True)
            return [request.get_output_tensor(i).data.copy() for i in range(len(compiled.outputs))]

        return run


@cache
def _openvino_core() -> Any:
    """OpenVINO's core, which is never let go of.

    Its plugin gives the thread that loads it another stack for signal handlers. Freed in a thread that is not that one,
    it unmaps the stack and leaves it set: Ctrl-C is a segmentation fault then.
    """
    import openvino

    return openvino.Core()


def _on_torch(call: Callable[..., Any], precision: Callable[[], AbstractContextManager[Any]]) -> Backend:
    where = device()

    def run(batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        with torch.inference_mode(), precision():
            images = torch.from_numpy(batch).to(where, memory_format=torch.channels_last)
            return [output.float().cpu().numpy() for output in call(images)]

    return run
