"""A training step of ResNet-50 on one GPU: a recorded step of linne's parts against timm's, compiled.

All steps have 224 pixels, bfloat16 autocast, channels last and Nesterov's momentum. timm's are those of its
`benchmark.py` with ``--amp --amp-dtype bfloat16 --channels-last --torchcompile`` (in the default mode), on one
synthetic batch of floats, but for the wait after each step. `linne fit` does not record its steps yet. linne's parts
take uint8 and normalise them: one synthetic batch, or views cut anew for each step from pictures in the GPU's memory.
Turns are interleaved; compiling is not counted.

Usage: gpu_step.py [--network NAME] [--batch N] [--steps N] [--turns N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import count

import timm
import torch
import torch.nn.functional as F
from graph import captured, gradients
from harness import Comparison, Table, compare, main
from speed_run import Descent
from timm.optim import create_optimizer_v2
from torch import Tensor, nn

from linne.embed.backends import device
from linne.fit.draw import draw, rng_of
from linne.fit.policy import Policy
from linne.fit.views import cut_views
from linne.nets import create
from linne.nets.catalogue.row import imagenet

DEVICE = device()
SPEC = imagenet(224)
POLICY = Policy(True, (0.35, 1.0), 0.0)
PICTURE = 256
RATE = 1e-4


def synchronised() -> None:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def theirs(name: str, batch: int, side: int, compiled: bool) -> Callable[[], None]:
    network = timm.create_model(name).to(DEVICE, memory_format=torch.channels_last).train()
    optimiser = create_optimizer_v2(network, opt="sgd", lr=RATE)
    called = torch.compile(network) if compiled else network
    inputs = torch.randn(batch, 3, side, side, device=DEVICE).contiguous(memory_format=torch.channels_last)
    loss = nn.CrossEntropyLoss().to(DEVICE)

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast(DEVICE.type, torch.bfloat16):
            output = called(inputs)
            target = torch.empty(batch, device=DEVICE, dtype=torch.long).random_(1000)
            loss(output, target).backward()
        optimiser.step()

    return step


def ours(name: str, batch: int, compiled: bool, views: Callable[[], Tensor]) -> Callable[[], None]:
    network = create(name).to(DEVICE, memory_format=torch.channels_last).train()
    mean, std = (torch.tensor(values, device=DEVICE)[:, None, None] for values in (SPEC.mean, SPEC.std))

    def loss_of(images: Tensor, labels: Tensor) -> Tensor:
        inputs = (images / (255 * std) - mean / std).contiguous(memory_format=torch.channels_last)
        with torch.autocast(DEVICE.type, torch.bfloat16):
            logits = network(inputs)
        return F.cross_entropy(logits.float(), labels)

    function, trained = gradients(network, torch.compile(loss_of, dynamic=False) if compiled else loss_of)
    labels = torch.empty(batch, device=DEVICE, dtype=torch.long).random_(1000)
    recorded = captured(function, (views(), labels), network.buffers())
    optimiser = Descent(trained, 0)

    def step() -> None:
        _, *slopes = recorded(views(), labels)
        for parameter, slope in zip(trained, slopes, strict=True):
            parameter.grad = slope
        optimiser.step(RATE)

    return step


def one_batch(batch: int, side: int) -> Callable[[], Tensor]:
    images = torch.empty(batch, side, side, 3, dtype=torch.uint8, device=DEVICE).random_(256).permute(0, 3, 1, 2)
    return lambda: images


def cut(batch: int, side: int) -> Callable[[], Tensor]:
    """Other views for each step, of pictures that lie in the device's memory."""
    pictures = list(torch.empty(4 * batch, PICTURE, PICTURE, 3, dtype=torch.uint8, device=DEVICE).random_(256))
    steps = count()

    def views() -> Tensor:
        step = next(steps)
        rows = [(step * batch + i) % len(pictures) for i in range(batch)]
        draws = [draw(PICTURE, PICTURE, SPEC, POLICY, rng_of(0, step, row)) for row in rows]
        return cut_views([pictures[row] for row in rows], draws, side, side)

    return views


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    torch.backends.cudnn.benchmark = True
    name, batch, side = given.network, given.batch, given.side
    makers = {
        "timm, compiled": lambda: theirs(name, batch, side, not given.eager),
        "linne, recorded": lambda: ours(name, batch, False, one_batch(batch, side)),
        "linne, compiled and recorded": lambda: ours(name, batch, not given.eager, one_batch(batch, side)),
        "linne, the same, views cut for each step": lambda: ours(name, batch, not given.eager, cut(batch, side)),
    }
    ways, took = {}, []
    for way, make in makers.items():
        began = time.perf_counter()
        step = make()
        step()
        synchronised()
        took.append((way, round(time.perf_counter() - began, 1)))
        ways[way] = _turn(step, given.steps)
    where = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU"
    yield Table("Seconds to build, compile and record", ("", "s"), tuple(took))
    title = f"{given.steps} steps of {name}, batch {batch}, {side} px, bfloat16 ({where})"
    yield compare(title, ways, given.steps * batch, "images", given.turns)


def _turn(step: Callable[[], None], steps: int) -> Callable[[], None]:
    def turn() -> None:
        for _ in range(steps):
            step()
        synchronised()

    return turn


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("--network", {"default": "resnet50"}),
            ("--batch", {"type": int, "default": 256}),
            ("--side", {"type": int, "default": 224}),
            ("--steps", {"type": int, "default": 10}),
            ("--turns", {"type": int, "default": 5}),
            ("--eager", {"action": "store_true", "help": "without a compiler, to try the script itself"}),
        ],
    )
