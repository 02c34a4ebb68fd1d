"""How many images a second training takes in here: measured, since no rule of thumb holds on two machines."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from linne.choose.sample import Sample
from linne.fit.augment import get_ready, random_view
from linne.fit.draw import rng_of
from linne.fit.groups import parameter_groups
from linne.fit.lanes import can_share
from linne.fit.optimise import Trainer
from linne.fit.optimisers import make_optimiser
from linne.fit.policy import Policy
from linne.fit.sources import view_threads
from linne.fit.tail import Tail
from linne.pixels.shrunk import Decoded
from linne.records.pixel_spec import PixelSpec
from linne.records.recipe import Precision, Recipe
from linne.runtime.cores import available_cores
from linne.runtime.torchrun import started_by_torchrun

LANES_GAIN = 1.05
"""Parts side by side must be this much faster to be taken."""

LAYOUT_GAIN = 1.1
"""So must images channel by channel, which are rarely faster: machines vary by more than a few per cent."""

FEWEST_STAGES = 2
"""Training the last stage alone gains nothing over the probe (docs/rooms/fit.md)."""

BFLOAT16_GAIN = 1.3
"""Rounder products must be this much faster to be taken."""

MEASURED_SECONDS = 0.2
FEWEST_STEPS = 3
ENOUGH_SECONDS = 2.0
"""Steps are timed for so long, and at least so many unless they take long, after one that warms up; the fastest counts.
Where the time for measuring is over, one is enough."""

MEASURED_IMAGES = 16
"""Of the whole network, a step on a CPU, where that takes seconds; more are no faster."""


NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rate:
    """Training speed with the first `frozen_stages` stages left as they are.

    `activation_size` is the number of values of one image that enter the first trained stage.
    """

    frozen_stages: int
    precision: Precision
    lanes: int
    images_per_second: float
    activation_size: int
    channels_last: bool = True


def tail_rates(
    network: nn.Module,
    pixels: PixelSpec,
    classes: int,
    batch_size: int,
    device: torch.device,
    seconds: float,
    chosen: Mapping[str, Any] = NOTHING,
) -> tuple[Rate, ...]:
    """Measure training the last stages on stored activations, from two on deeper, until `seconds` are over.

    What is fastest for two stages is taken for more; finding that out has half of the time, since depth gains more.
    Settings that were `chosen` by hand are what is measured. With frozen stages among these no other depth is measured,
    and that in any case.
    """
    trial = _trial(network, classes)
    inputs = _inputs_of_stages(trial, pixels)
    now, stage_by_hand = time.perf_counter(), chosen.get("frozen_stages")
    end = now + seconds
    rates: list[Rate] = []
    for stage in range(len(inputs) - FEWEST_STAGES, 0, -1) if stage_by_hand is None else (stage_by_hand,):
        if stage_by_hand is None and time.perf_counter() > end:
            break
        activations = inputs[stage].expand(batch_size, -1, -1, -1).contiguous()
        until = end if rates else now + seconds / 2
        bench = _Bench(trial, stage, activations, classes, device, True, pixels, until, chosen)
        rates.append(bench.rate_as(rates[0]) if rates else bench.fastest())
    return tuple(rates)


def whole_rate(
    network: nn.Module,
    pixels: PixelSpec,
    classes: int,
    batch_size: int,
    device: torch.device,
    sample: Sample,
    policy: Policy,
    pretrained: bool,
    seconds: float,
    chosen: Mapping[str, Any] = NOTHING,
    teacher: Callable[[Tensor], Tensor] | None = None,
) -> Rate:
    """Measure training every stage from augmented images; the slower of augmenting and computing counts.

    Once `seconds` are over, no more settings are tried. Those that were `chosen` by hand are what is measured, and a
    `teacher` is asked as in training.
    """
    trial = _trial(network, classes)
    end = time.perf_counter() + seconds
    few = batch_size if device.type == "cuda" else min(batch_size, max(MEASURED_IMAGES, 2 * available_cores()))
    images = torch.randn(few, pixels.height, pixels.width, pixels.channels).permute(0, 3, 1, 2)  # as views are
    step = _Bench(trial, 0, images, classes, device, pretrained, pixels, end, chosen, teacher).fastest()
    augmented = augmented_per_second(sample, pixels, policy)
    # Augmenting and training share the cores on a CPU; a GPU leaves them to augmenting.
    rate = (
        min(step.images_per_second, augmented)
        if device.type == "cuda"
        else 1 / (1 / step.images_per_second + 1 / augmented)
    )
    return replace(step, images_per_second=rate)


def augmented_per_second(sample: Sample, pixels: PixelSpec, policy: Policy) -> float:
    """Random views a second, decoding included, by as many threads as cut views from the cache."""
    get_ready(pixels, policy)
    gray = pixels.channels == 1
    pictures = [np.asarray(p.convert("L"))[:, :, None] if gray else np.asarray(p) for p in sample.pictures[:32]]

    def view(number: int, picture: NDArray[np.uint8]) -> None:
        out = torch.empty(1, pixels.height, pixels.width, pixels.channels, dtype=torch.uint8).permute(0, 3, 1, 2)
        random_view(Decoded(picture), pixels, policy, rng_of(0, 0, number), out)

    start = time.perf_counter()
    with ThreadPoolExecutor(view_threads(decoding=False), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        list(pool.map(view, range(len(pictures)), pictures))
    seconds = (time.perf_counter() - start) / len(pictures)
    return 1 / (seconds + sample.seconds)


def _trial(network: nn.Module, classes: int) -> nn.Module:
    """A copy to train on noise."""
    trial = copy.deepcopy(network).cpu()
    trial.replace_head(classes)  # type: ignore[operator]
    return trial


@torch.no_grad()  # not in inference mode: a batch of one is trained on these very tensors
def _inputs_of_stages(network: nn.Module, pixels: PixelSpec) -> list[Tensor]:
    """What enters each stage for one image."""
    x = torch.randn(1, pixels.channels, pixels.height, pixels.width)
    inputs = []
    for stage in network.stages():  # type: ignore[operator]
        inputs.append(x.clone())
        x = stage(x)
    return inputs


@dataclass(frozen=True)
class _Bench:
    """Times steps that train a network from `stage` on, on some inputs, until `end`."""

    network: nn.Module
    stage: int
    inputs: Tensor
    classes: int
    device: torch.device
    pretrained: bool
    pixels: PixelSpec
    end: float
    chosen: Mapping[str, Any]
    teacher: Callable[[Tensor], Tensor] | None = None

    def fastest(self) -> Rate:
        """Measure precisions, then parts side by side, then where channels lie, and give what to take.

        What was chosen by hand is in all of them.
        """
        by_hand = self.chosen.keys()
        precision, layout = self.chosen.get("precision", "float32"), self.chosen.get("channels_last", True)
        best = self.rate(precision, self.chosen.get("lanes", 1), layout)
        if "precision" not in by_hand and self._has_bfloat16():
            best = self._better(best, replace(best, precision="bfloat16"), BFLOAT16_GAIN)
        lanes, on_cpu = min(available_cores(), len(self.inputs)), self.device.type == "cpu"
        alone = on_cpu and not started_by_torchrun()  # several processes have one lane each
        shared = alone and can_share(Tail(self.network, self.stage), self.pretrained)
        if "lanes" not in by_hand and shared and lanes > 1:
            best = self._better(best, replace(best, lanes=lanes), LANES_GAIN)
        if "channels_last" not in by_hand and on_cpu:  # tensor cores want channels last
            best = self._better(best, replace(best, channels_last=False), LAYOUT_GAIN)
        return best

    def _better(self, best: Rate, other: Rate, gain: float) -> Rate:
        """Measure another setting while there is time, and give that if it is faster by as much."""
        if time.perf_counter() > self.end:
            return best
        other = self.rate_as(other)
        return other if other.images_per_second > gain * best.images_per_second else best

    def _has_bfloat16(self) -> bool:
        """Whether there is a library for products in bfloat16 here: without, a step on a CPU takes minutes."""
        if self.device.type != "cpu":
            return True
        return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported())  # type: ignore[no-untyped-call]

    def rate_as(self, other: Rate) -> Rate:
        """Measure the setting of another rate."""
        return self.rate(other.precision, other.lanes, other.channels_last)

    def rate(self, precision: Precision, lanes: int, channels_last: bool) -> Rate:
        """Measure one setting."""
        optimiser = self.chosen.get("optimiser", "adamw")
        recipe = Recipe("whole", precision=precision, lanes=lanes, channels_last=channels_last, optimiser=optimiser)
        groups = parameter_groups(self.network, self.stage, recipe.weight_decay, recipe.layer_decay)
        make = partial(make_optimiser, recipe.optimiser, self.network, groups)
        loss = partial(F.cross_entropy, reduction="none")
        module = Tail(self.network, self.stage)
        trainer = Trainer(module, make, recipe, self.device, self.pixels, loss, self.pretrained, 1, self.teacher)
        speed = self._images_per_second(trainer, torch.arange(len(self.inputs)) % self.classes)
        return Rate(self.stage, precision, lanes, speed, self.inputs[0].numel(), channels_last)

    def _images_per_second(self, trainer: Trainer, labels: Tensor) -> float:
        """After a step that warms up."""
        float(trainer.step(self.inputs, labels, 0.5, (0,)))
        seconds: list[float] = []
        while len(seconds) < FEWEST_STEPS or sum(seconds) < MEASURED_SECONDS:
            start = time.perf_counter()
            float(trainer.step(self.inputs, labels, 0.5, (0,)))
            seconds.append(time.perf_counter() - start)
            if sum(seconds) > ENOUGH_SECONDS or time.perf_counter() > self.end:
                break
        return len(self.inputs) / min(seconds)
