"""Which backend is fastest here: measured once, remembered per machine, build and network."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from linne.embed.backends import BACKENDS, BATCH, Backend, device
from linne.records.atomic import write_json
from linne.records.errors import LinneError
from linne.records.fingerprint import of_settings
from linne.records.pixel_spec import PixelSpec
from linne.runtime.session import available_cores

COMPILE_SECONDS = 60.0
"""Compiling must be able to pay: it is tried where the pass would take longer than twice this without it."""

LOWEST_COSINE = 0.9999
MEASURED_SECONDS = 0.5


@dataclass(frozen=True)
class Pick:
    """The chosen backend.

    Attributes
    ----------
    name : str
    build : callable
        Makes it ready to run; called when the first image needs it, which may be never.
    rates : dict of str to float
        Images a second of each backend that was measured.
    """

    name: str
    build: Callable[[], Backend]
    rates: dict[str, float]

    @cached_property
    def run(self) -> Backend:
        """The backend itself."""
        return self.build()


def pick_backend(module: nn.Module, pixels: PixelSpec, identity: str, images: int, memory: Path) -> Pick:
    """Choose how to run `module` over `images` images.

    Parameters
    ----------
    module : torch.nn.Module
        Gives a tuple of tensors; the first is what must agree with eager PyTorch (cosine at least 0.9999).
    pixels : PixelSpec
        The size of the input.
    identity : str
        Digest of the network and its input.
    images : int
        How many are to come.
    memory : Path
        JSON file of earlier picks.
    """
    key = of_settings([identity, machine()])
    remembered = _recall(memory).get(key, {})
    names = _candidates(remembered, images)
    if names is None:
        best = str(remembered["best"])
        return Pick(best, lambda: BACKENDS[best](module, pixels), remembered["rates"])

    rates: dict[str, float] = {}
    built: dict[str, Backend] = {}
    sample = np.random.default_rng(0).normal(0, 1, (BATCH, pixels.channels, pixels.height, pixels.width))
    batch = sample.astype(np.float32)
    reference = BACKENDS["eager"](module, pixels)(batch)[0]
    for name in names:
        backend = BACKENDS[name](module, pixels)
        if _cosine(backend(batch)[0], reference) >= LOWEST_COSINE:
            built[name], rates[name] = backend, _rate(backend, batch)
    best = max(rates, key=lambda name: rates[name])
    _remember(memory, key, {"best": best, "rates": rates})
    return Pick(best, lambda: built[best], rates)


def machine() -> dict[str, Any]:
    """What a measurement holds for: processor, cores, accelerator and library builds."""
    where = device()
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "device": torch.cuda.get_device_name() if where.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def _candidates(remembered: dict[str, Any], images: int) -> list[str] | None:
    """Backends to measure; None where the remembered pick still holds."""
    known = remembered.get("rates", {})
    if not known:
        fastest = 0.0
        names = ["eager", "onnx"]
    else:
        fastest = max(known.values())
        names = []
    pays = device().type == "cuda" or (fastest > 0 and images / fastest > 2 * COMPILE_SECONDS)
    if known and ("compiled" in known or not pays):
        return None
    return [*(names or known), "compiled"] if pays else names


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = [line for line in lines if line.startswith(("model name", "model\t", "cpu family", "flags"))]
    return of_settings(sorted(set(facts))) if facts else platform.machine()


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / np.maximum(norms, 1e-12)).min())


def _rate(backend: Backend, batch: NDArray[np.float32]) -> float:
    """Images a second, after one warm-up batch."""
    backend(batch)
    batches, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < MEASURED_SECONDS or batches < 2:
        backend(batch)
        batches += 1
    return round(batches * len(batch) / max(seconds, 1e-9), 1)


def _recall(memory: Path) -> dict[str, Any]:
    try:
        value = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # no memory yet, or a damaged one: measure again
    return value if isinstance(value, dict) else {}


def _remember(memory: Path, key: str, value: dict[str, Any]) -> None:
    try:
        write_json(memory, {**_recall(memory), key: value})
    except LinneError:
        return  # the pick holds for this run; the next one measures again
