"""Which backend is fastest here: measured once, remembered per machine, build and network."""

from __future__ import annotations

import json
import math
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
MEASURED_SECONDS = 0.4

FEW = 8
"""Images that must come out as in eager PyTorch; running them is the warm-up too."""


@dataclass(frozen=True)
class Pick:
    """The chosen backend.

    Attributes
    ----------
    name : str
    build : callable
        Makes it ready to run; called when the first image needs it, which may be never.
    rates : dict of str to float
        Images a second of each backend that was measured; 0 for one that does not run here, or does not agree.
    preparing : float
        Seconds until it runs, where these count: compiling.
    """

    name: str
    build: Callable[[], Backend]
    rates: dict[str, float]
    preparing: float = 0.0

    @property
    def rate(self) -> float:
        """Images a second of the chosen backend."""
        return self.rates[self.name]

    @cached_property
    def run(self) -> Backend:
        """The backend itself."""
        return self.build()


def pick_backend(module: nn.Module, pixels: PixelSpec, identity: str, images: int, memory: Path) -> Pick:
    """Choose how to run `module` over `images` images.

    Parameters
    ----------
    module : torch.nn.Module
        Gives a tuple of tensors; the first is what must agree with eager PyTorch (cosine at least 0.9999). A
        backend that does not agree, or does not run here, is left out; eager PyTorch always remains.
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
    rates = _known_rates(_recall(memory).get(key))
    built: dict[str, Backend] = {}
    if not rates:
        rates = _measure(("eager", "onnx"), module, pixels, built)
        _remember(memory, key, {"rates": rates})
    if _compiling_pays(rates, images):
        rates = {**rates, **_measure(("compiled",), module, pixels, built)}
        _remember(memory, key, {"rates": rates})
    preparing = {name: COMPILE_SECONDS if name == "compiled" and name not in built else 0.0 for name in rates}
    best = min((name for name in rates if rates[name]), key=lambda name: images / rates[name] + preparing[name])
    build = (lambda: built[best]) if best in built else (lambda: BACKENDS[best](module, pixels))
    return Pick(best, build, rates, preparing[best])


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


def _measure(
    names: tuple[str, ...], module: nn.Module, pixels: PixelSpec, built: dict[str, Backend]
) -> dict[str, float]:
    """Images a second of each backend; those that run and agree are put into `built`."""
    sample = np.random.default_rng(0).normal(0, 1, (BATCH, pixels.channels, pixels.height, pixels.width))
    batch = sample.astype(np.float32)
    reference = BACKENDS["eager"](module, pixels)(batch[:FEW])[0]
    for name in names:
        # A compiled graph holds for one size of batch. Eager PyTorch always remains, were its features no numbers.
        warm_up = batch if name == "compiled" else batch[:FEW]
        try:
            backend = BACKENDS[name](module, pixels)
            if name == "eager" or _cosine(backend(warm_up)[0][:FEW], reference) >= LOWEST_COSINE:
                built[name] = backend
        except Exception:
            if name == "eager":
                raise
            # No compiler, no such operator: whatever it is, there are other backends.
    return {name: _rate(built[name], batch) if name in built else 0.0 for name in names}


def _known_rates(remembered: object) -> dict[str, float]:
    """Rates of an earlier measurement; none where they are damaged."""
    rates = remembered.get("rates") if isinstance(remembered, dict) else None
    if not isinstance(rates, dict) or not {"eager", "onnx"} <= rates.keys() <= BACKENDS.keys():
        return {}
    sound = all(type(rate) is float and 0 <= rate < math.inf for rate in rates.values())
    return rates if sound and max(rates.values()) > 0 else {}


def _compiling_pays(rates: dict[str, float], images: int) -> bool:
    """Whether the pass is long enough to compile for, and that has not been tried."""
    return "compiled" not in rates and images / max(rates.values()) > 2 * COMPILE_SECONDS


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = [line for line in lines if line.startswith(("model name", "model\t", "cpu family", "flags"))]
    return of_settings(sorted(set(facts))) if facts else platform.machine()


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The lowest cosine of two rows; where both are zero they agree."""
    one, other = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    cosine = (a * b).sum(axis=1) / np.maximum(one * other, 1e-12)
    return float(np.where(np.maximum(one, other) < 1e-6, 1, cosine).min())


def _rate(backend: Backend, batch: NDArray[np.float32]) -> float:
    """Images a second, by the fastest batch: what else runs on the machine only makes batches slower."""
    fastest, end = float("inf"), time.perf_counter() + MEASURED_SECONDS
    while (start := time.perf_counter()) < end:
        backend(batch)
        fastest = min(fastest, time.perf_counter() - start)
    return round(len(batch) / fastest, 1)


def _recall(memory: Path) -> dict[str, Any]:
    try:
        value = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}  # no memory yet, or a damaged one: measure again
    return value if isinstance(value, dict) else {}


def _remember(memory: Path, key: str, value: dict[str, Any]) -> None:
    try:
        write_json(memory, {**_recall(memory), key: value})
    except LinneError:
        return  # the pick holds for this run; the next one measures again
