"""Which way to run a network is fastest here: measured once, remembered per machine, build and network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from linne.embed.backends import Backend, Builder, device, has_openvino
from linne.embed.machine import machine, recall, remember
from linne.embed.way import Way
from linne.records.fingerprint import of_settings
from linne.records.pixel_spec import PixelSpec
from linne.runtime.cores import available_cores

COMPILE_SECONDS = 60.0
"""Compiling must be able to pay: it is tried where the pass would take longer than twice this without it."""

EXPLORING_SHARE = 0.1
"""Of the time that the pass would take, for trying other ways than the first two."""

TRYING_SECONDS = 1.0
"""To build and to time one more way."""

LONG_PASS = 5.0
"""Seconds. For a longer one a way's remembered speed is measured anew: the machine may be busier now, or was then."""

LOWEST_COSINE = 0.9999
MEASURED_SECONDS = 0.4

FEW = 8
"""Images that must come out as in eager PyTorch; running them is the warm-up too."""


@dataclass(frozen=True)
class Pick:
    """The chosen way.

    Attributes
    ----------
    way : Way
    build : callable
        Makes it ready to run; called when the first image needs it, which may be never.
    rates : dict of Way to float
        Images a second of each way that was measured; 0 for one that does not run here, or does not agree.
    preparing : float
        Seconds until it runs, where these count: compiling.
    """

    way: Way
    build: Callable[[], Backend]
    rates: dict[Way, float]
    preparing: float = 0.0

    @property
    def rate(self) -> float:
        """Images a second of the chosen way."""
        return self.rates[self.way]

    @cached_property
    def run(self) -> Backend:
        """The backend itself."""
        return self.build()

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"name": self.way.name, "rates": {way.name: rate for way, rate in self.rates.items()}}


def pick_backend(
    module: nn.Module,
    pixels: PixelSpec,
    identity: str,
    images: int,
    memory: Path,
    sample: NDArray[np.float32] | None = None,
    left: float | None = None,
) -> Pick:
    """Choose how to run `module` over `images` images.

    Parameters
    ----------
    module : torch.nn.Module
        Gives a tuple of tensors; each must agree with eager PyTorch (cosine at least 0.9999). A way that does not
        agree, or does not run here, is left out; eager PyTorch always remains.
    pixels : PixelSpec
        The size of the input.
    identity : str
        Digest of the network and its input.
    images : int
        How many are to come.
    memory : Path
        JSON file of earlier picks.
    sample : (n, channels, height, width) float32 array, optional
        Inputs to agree on; by default noise, which is kinder to rounded products than photos are.
    left : float, optional
        Seconds that there are: exploring is for a pass of no more.
    """
    key = of_settings([identity, machine()])
    known = recall(memory, key)
    search = _Search(Builder(module, pixels), pixels, sample, dict(known))
    if device().type != "cpu":
        search.measure([eager_way()])
    search.measure([onnx_way()])
    # A rounded way may be remembered, and yet not be confirmed below.
    if not any(rate for way, rate in search.rates.items() if way.precision == "float32"):
        search.measure([eager_way()])
    _explore(search, images if left is None else min(images, round(left * search.rate)))
    if search.rates != known:
        remember(memory, key, search.rates)
    while True:
        preparing = {
            way: COMPILE_SECONDS if way.backend == "compiled" and not search.holds(way) else 0.0 for way in search.rates
        }
        running = (way for way in preparing if search.rates[way])
        best = min(running, key=lambda way: max(images, 1) / search.rates[way] + preparing[way])
        # What is remembered may have been judged on other images, or for another output.
        if best.precision == "float32" or best not in known or search.confirm(best):
            break
    rates = search.rates
    if best in known and images / rates[best] > LONG_PASS:
        now = search.measure_again(best) / rates[best]
        rates = {way: now * rate for way, rate in rates.items()}
    return Pick(best, lambda: search.build(best), rates, preparing[best])


def eager_way() -> Way:
    """What always remains; the first choice on a GPU."""
    return Way("eager", "float32", 8, available_cores()) if device().type == "cpu" else Way("eager", "float32", 64, 1)


def onnx_way() -> Way:
    """The first choice on a CPU, and what an exported network will run on."""
    return Way("onnx", "float32", 8, available_cores())


def _explore(search: _Search, images: int) -> None:
    """Try other ways for as long as it can pay."""
    began = time.perf_counter()
    cores, on_cpu = available_cores(), device().type == "cpu"

    def try_all(ways: Iterable[Way]) -> None:
        for way in ways:
            costs = time.perf_counter() - began + TRYING_SECONDS + 3 * way.batch * way.callers / search.rate
            if way not in search.rates and costs < EXPLORING_SHARE * images / search.rate:
                search.measure([way])

    if has_openvino():
        try_all([Way("openvino", "float32", 8, cores), Way("openvino", "bfloat16", 8, cores)])
    eager = eager_way()
    try_all([replace(eager, precision="bfloat16"), eager])
    best = search.best
    sizes = (16, 32, 4) if on_cpu else (256, 128)
    try_all(replace(best, batch=batch) for batch in sizes)
    try_all([replace(best, batch=32, callers=1)])
    if images / search.rate > 2 * COMPILE_SECONDS:
        rounded = search.rates.get(replace(eager, precision="bfloat16"), 0) == search.rate
        search.measure([Way("compiled", "bfloat16" if rounded else "float32", 32 if on_cpu else 64, 1)])


class _Search:
    """Rates so far, and the fastest backend that was built for them."""

    def __init__(
        self, builder: Builder, pixels: PixelSpec, sample: NDArray[np.float32] | None, rates: dict[Way, float]
    ) -> None:
        self._builder, self._pixels, self._sample, self.rates = builder, pixels, sample, rates
        self._held: tuple[Way, Backend] | None = None

    @property
    def best(self) -> Way:
        """The fastest way so far."""
        return max(self.rates, key=lambda way: self.rates[way])

    @property
    def rate(self) -> float:
        """Its images a second."""
        return self.rates[self.best]

    def holds(self, way: Way) -> bool:
        """Whether a way is ready to run."""
        return self._held is not None and self._held[0] == way

    def build(self, way: Way) -> Backend:
        """Make a way ready, or give it if it is."""
        return self._held[1] if self._held is not None and self.holds(way) else self._builder.build(way)

    def confirm(self, way: Way) -> bool:
        """Whether a way that was measured earlier agrees here too; else it is left out."""
        try:
            backend = self._agreeing(way)
        except Exception:  # noqa: BLE001 - whatever it is, there are other ways
            backend = None
        if backend is None:
            self.rates[way] = 0.0
        else:
            self._held = way, backend
        return backend is not None

    def measure(self, ways: Iterable[Way]) -> None:
        """Time ways that are not known yet: 0 for one that fails or does not agree."""
        for way in ways:
            if way in self.rates:
                continue
            try:
                backend = self._agreeing(way)
                rate = 0.0 if backend is None else rate_of(backend, self._batch(way.batch), way.callers)
            except Exception:
                if way == eager_way():
                    raise
                backend, rate = None, 0.0  # no compiler, no such operator: whatever it is, there are other ways
            self.rates[way] = rate
            if backend is not None and way == self.best:
                self._held = way, backend

    def measure_again(self, way: Way) -> float:
        """Images a second of a way that is known to run, as it is now."""
        self._held = way, self.build(way)
        return rate_of(self._held[1], self._batch(way.batch), way.callers)

    def _agreeing(self, way: Way) -> Backend | None:
        """Build a way; None if it does not give what eager PyTorch gives. That itself always remains."""
        backend = self._builder.build(way)
        outputs = backend(self._batch(way.batch))
        if way == eager_way() or all(
            cosine(output[:FEW], expected[: way.batch]) >= LOWEST_COSINE
            for output, expected in zip(outputs, self._expected, strict=True)
        ):
            return backend
        return None

    @cached_property
    def _expected(self) -> list[NDArray[np.float32]]:
        return self._builder.plain()(self._batch(FEW))

    def _batch(self, size: int) -> NDArray[np.float32]:
        """So many inputs, the first of them always the same."""
        if self._sample is None or not len(self._sample):
            shape = (size, self._pixels.channels, self._pixels.height, self._pixels.width)
            return np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
        return np.ascontiguousarray(self._sample[np.arange(size) % len(self._sample)])


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The lowest cosine of two rows; where both are zero they agree."""
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    one, other = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    cosines = (a * b).sum(axis=1) / np.maximum(one * other, 1e-12)
    return float(np.where(np.maximum(one, other) < 1e-6, 1, cosines).min())


def callers_pool(way_callers: int, threads: int | None = None) -> ThreadPoolExecutor:
    """Threads that call a backend, each with its share of the cores."""
    share = max(1, available_cores() // way_callers)
    return ThreadPoolExecutor(
        threads or way_callers, thread_name_prefix="decode", initializer=torch.set_num_threads, initargs=(share,)
    )


def rate_of(backend: Backend, batch: NDArray[np.float32], callers: int) -> float:
    """Images a second of all callers together, by their faster batches: what else runs only makes batches slower."""

    def calls(_: int) -> list[float]:
        backend(batch)  # the first call of a thread may take longer
        end, took = time.perf_counter() + MEASURED_SECONDS, list[float]()
        while (start := time.perf_counter()) < end or not took:
            backend(batch)
            took.append(time.perf_counter() - start)
        return took

    if callers == 1:
        return round(len(batch) / float(np.quantile(calls(0), 0.25)), 3)  # in this thread, as the pass runs it
    with callers_pool(callers) as pool:
        took = [seconds for each in pool.map(calls, range(callers)) for seconds in each]
    return round(callers * len(batch) / float(np.quantile(took, 0.25)), 3)
