"""Images a second of a training step on the CPU: timm with each of its flags, linne, and what the machine can do.

timm's way is that of its benchmark.py: images and labels made up, SGD, cross-entropy, float32; and every combination of
channels-last, autocast to bfloat16 and torch.compile in its default mode. linne measures before it trains, for as long
as a fit without a budget may (of a budget it is 5% of the time left), and is timed with what it has chosen: from
scratch, and with pretrained weights, whose batch norms stay as they are. Each way lives in a process of its own, warmed
up, and they take turns: ratios are medians over the turns.

The floor is three forward passes' operations (one forward, two for the gradients) at the highest speed that a
3x3 convolution or a matrix product reached in the same precision.

linne's processes keep the memory that they have freed, as its command does (`linne.runtime.allocator`). Where a CPU has
no bfloat16 products, a step in it takes minutes: --precisions float32 leaves timm's out.

Usage: training_step.py [--networks resnet18 mobilenet_v2 vit_tiny_16] [--batch 32] [--turns 5] [--steps 3]
                        [--precisions float32 bfloat16]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import combinations
from multiprocessing import get_context

import torch
from harness import Cell, Comparison, Measured, Table, Way, compare, main
from PIL import Image
from torch import Tensor, nn

from linne.fit.throughput import Rate
from linne.runtime.allocator import keep_freed_memory

SIDE = 224
FLAGS = ("channels-last", "bfloat16", "compiled")
WARM_UP = 3
PRECISIONS = ("float32", "bfloat16")

Step = Callable[[], object]
Make = Callable[..., tuple[Step, Rate | None]]
"""A step, and the setting that was chosen for it."""

_steps: list[Step] = []
"""Of this process."""


def timm_step(name: str, batch: int, flags: tuple[str, ...]) -> tuple[Step, None]:
    """What timm's benchmark.py does in a step."""
    import timm
    from timm.optim import create_optimizer_v2

    from linne.nets.catalogue import entry

    layout = torch.channels_last if "channels-last" in flags else torch.contiguous_format
    network = timm.create_model(entry(name).timm).to(memory_format=layout).train()
    optimiser = create_optimizer_v2(network, opt="sgd", lr=1e-4)
    run = torch.compile(network) if "compiled" in flags else network
    images, loss = torch.randn(batch, 3, SIDE, SIDE).contiguous(memory_format=layout), nn.CrossEntropyLoss()

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled="bfloat16" in flags):
            logits = run(images)
            loss(logits, torch.randint(logits.shape[1], (batch,))).backward()
        optimiser.step()

    return step, None


def linne_step(name: str, batch: int, pretrained: bool) -> tuple[Step, Rate]:
    """What linne does in a step that trains the whole network, and the setting that it measures to be the best."""
    keep_freed_memory()
    from linne.choose.sample import Sample
    from linne.fit.groups import parameter_groups
    from linne.fit.losses import CrossEntropy
    from linne.fit.optimise import Trainer
    from linne.fit.optimisers import make_optimiser
    from linne.fit.policy import Policy
    from linne.fit.tail import Tail
    from linne.fit.throughput import whole_rate
    from linne.nets.build import create
    from linne.nets.catalogue import entry
    from linne.records.recipe import Recipe
    from linne.road.outlook import MOST_MEASURING_SECONDS

    network, pixels, classes = create(name), entry(name).pixels, entry(name).classes
    sample = Sample((Image.new("RGB", (SIDE, SIDE)),) * 8, SIDE, True, 0.0, ())
    cpu = torch.device("cpu")
    rate = whole_rate(network, pixels, classes, batch, cpu, sample, Policy(True), pretrained, MOST_MEASURING_SECONDS)
    recipe = Recipe("whole", precision=rate.precision, lanes=rate.lanes, channels_last=rate.channels_last)
    make = partial(make_optimiser, recipe.optimiser, network, parameter_groups(network))
    trainer = Trainer(Tail(network, 0), make, recipe, cpu, pixels, CrossEntropy(0.1), pretrained, 1)
    images = torch.randn(batch, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    return lambda: trainer.step(images, torch.randint(classes, (batch,)), 0.5, (0,)), rate


def prepare(make: Make, *arguments: object) -> Rate | None:
    step, rate = make(*arguments)
    for _ in range(WARM_UP):
        step()
    _steps[:] = [step]
    return rate


def turn(steps: int) -> float:
    start = time.perf_counter()
    for _ in range(steps):
        _steps[0]()
    return time.perf_counter() - start


def there(stack: ExitStack, steps: int, make: Make, *arguments: object) -> tuple[Way, Rate | None]:
    """Prepare a way in a process of its own: what asks it for a turn, and what linne has chosen."""
    pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
    rate = pool.submit(prepare, make, *arguments).result()
    return lambda: Measured(pool.submit(turn, steps).result()), rate


def peak(precision: str) -> float:
    """Operations a second: the most that some large convolutions and a matrix product reach."""
    dtype = getattr(torch, precision)

    def convolution(channels: int, side: int) -> tuple[Step, float]:
        images = torch.randn(32, channels, side, side, dtype=dtype).contiguous(memory_format=torch.channels_last)
        layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False, dtype=dtype).to(
            memory_format=torch.channels_last
        )
        return lambda: layer(images), 2 * 9 * 32 * channels**2 * side**2

    def product(side: int) -> tuple[Step, float]:
        left, right = (torch.randn(side, side, dtype=dtype) for _ in range(2))
        return partial(Tensor.matmul, left, right), 2 * side**3

    return max(
        _speed(*work) for work in (convolution(128, 56), convolution(256, 28), convolution(512, 14), product(2048))
    )


@torch.inference_mode()
def _speed(step: Step, operations: float) -> float:
    took = []
    for _ in range(10):
        start = time.perf_counter()
        step()
        took.append(time.perf_counter() - start)
    return operations / min(took)


def judged(
    comparison: Comparison, name: str, peaks: dict[str, float], chosen: dict[str, Rate]
) -> list[tuple[Cell, ...]]:
    from linne.nets.count import count

    theirs = [timing for timing in comparison.timings if timing.name not in chosen]
    best = max(theirs, key=lambda timing: timing.ratio)
    rows: list[tuple[Cell, ...]] = []
    for ours in (timing for timing in comparison.timings if timing.name in chosen):
        rate = chosen[ours.name]
        speed, most = comparison.amount / ours.median, peaks[rate.precision] / (6 * count(name, SIDE, SIDE).macs)
        layout = "channels last" if rate.channels_last else "channels first"
        against = (f"{ours.ratio:.2f} x", f"{ours.ratio / best.ratio:.2f} x")
        how = f"{rate.precision}, {rate.lanes} at once, {layout}"
        rows.append(
            (f"{name}, {ours.name}", how, *against, best.name, round(speed, 1), round(most, 1), f"{speed / most:.0%}")
        )
    return rows


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    peaks: dict[str, float] = {}
    flagged = [flag for flag in FLAGS if flag not in PRECISIONS or flag in given.precisions]
    rows = []
    for name in given.networks:
        with ExitStack() as stack:
            ways, chosen = {}, {}
            for flags in (together for many in range(len(flagged) + 1) for together in combinations(flagged, many)):
                called = " ".join(("timm,", *(flags or ("default",))))
                ways[called], _ = there(stack, given.steps, timm_step, name, given.batch, flags)
            for called, pretrained in (("linne, from scratch", False), ("linne, fine-tuning", True)):
                ways[called], rate = there(stack, given.steps, linne_step, name, given.batch, pretrained)
                if rate is not None:
                    chosen[called] = rate
            title = f"{name}: a training step, batch {given.batch}, {SIDE} pixels"
            found = compare(title, ways, given.steps * given.batch, "images", given.turns)
        yield found
        # Linne may choose a precision that timm is spared.
        peaks |= {
            precision: peak(precision) for precision in {rate.precision for rate in chosen.values()} - peaks.keys()
        }
        rows += judged(found, name, peaks, chosen)
    columns = (
        "",
        "its choice",
        "to timm's default",
        "to its best flags",
        "which are",
        "images/s",
        "floor",
        "of the floor",
    )
    yield Table("Training steps: linne against timm, and against the machine", columns, tuple(rows))
    speeds = tuple((precision, round(value / 1e9)) for precision, value in peaks.items())
    yield Table("The highest speed of a convolution or a product", ("", "GFLOP/s"), speeds)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("--networks", {"nargs": "+", "default": ["resnet18", "mobilenet_v2", "vit_tiny_16"]}),
            ("--batch", {"type": int, "default": 32}),
            ("--precisions", {"nargs": "+", "choices": PRECISIONS, "default": PRECISIONS}),
            ("--turns", {"type": int, "default": 5}),
            ("--steps", {"type": int, "default": 3}),
        ],
    )
