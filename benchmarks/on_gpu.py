"""Training on a GPU: batches cut in its memory, against threads on the host and torchvision's loader; and whole steps.

All batches end as normalised float32 of 224 pixels in the GPU's memory, 64 images each. Crops have 35% to 100% of the
picture, and every second one is mirrored; with colours, brightness, contrast and saturation vary by 30%. The loader has
a worker process a core, which pins its batches. A pass goes over the photos several times, so that a loader's start
weighs little; the GPU is waited for at its end.

Usage: on_gpu.py PHOTOS [--passes N] [--turns N] [--workers N] [--networks NAME ...]    (class folders of JPEGs)
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from batches import AREA, BATCH, SEED, SPEC, indexed, opened
from harness import Comparison, Table, compare, main
from torch import Tensor
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from linne.embed.backends import device
from linne.fit.decoded import Pictures
from linne.fit.draw import draw, rng_of
from linne.fit.groups import parameter_groups
from linne.fit.growth import Growth
from linne.fit.inputs import Normaliser
from linne.fit.losses import CrossEntropy
from linne.fit.optimise import Trainer
from linne.fit.optimisers import make_optimiser
from linne.fit.order import Order
from linne.fit.policy import Policy
from linne.fit.resident import ResidentImages
from linne.fit.sources import AugmentedImages, Source
from linne.fit.tail import Tail
from linne.fit.views import cut_views
from linne.nets import create
from linne.pixels.cache import PixelCache
from linne.records.recipe import Precision, Recipe
from linne.runtime.cores import available_cores

CLASSES = 10
DEVICE = device()
Batches = Callable[[int], Iterable[tuple[Tensor, Tensor]]]
"""Given an epoch."""


def synchronised(images: int) -> int:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return images


def torchvision_batches(photos: Path, policy: Policy, passes: int, workers: int) -> Batches:
    colour = [v2.ColorJitter(policy.colour, policy.colour, policy.colour)] if policy.colour else []
    change = v2.Compose(
        [
            v2.RandomResizedCrop(SPEC.height, AREA, antialias=True),
            v2.RandomHorizontalFlip(),
            *colour,
            v2.ToImage(),
            v2.ToDtype(torch.float32, True),
            v2.Normalize(SPEC.mean, SPEC.std),
        ]
    )
    images = len(indexed(photos)[0])
    data = Subset(ImageFolder(str(photos), change), list(range(images)) * passes)
    pinned = DEVICE.type == "cuda"
    loader = DataLoader(
        data, BATCH, True, num_workers=workers, persistent_workers=True, drop_last=True, pin_memory=pinned
    )

    def epoch(_: int) -> Iterator[tuple[Tensor, Tensor]]:
        for inputs, labels in loader:
            yield inputs.to(DEVICE, non_blocking=True), labels.to(DEVICE, non_blocking=True)

    return epoch


def host_source(photos: Path, policy: Policy, passes: int, kept: PixelCache | None) -> AugmentedImages:
    index, digest = indexed(photos)
    pictures = Pictures(index, SPEC.channels, kept, digest)
    rows = np.tile(np.arange(len(index)), passes)
    growth, order = Growth(SPEC, None, None, 1, 1), Order.of(len(rows), BATCH, SEED)
    return AugmentedImages(pictures, index.label, rows, growth, policy, order, DEVICE.type == "cpu")


def normalised(source: Source) -> Batches:
    """As a training step does it; the memory of a batch from the host is free for the next one then."""
    normalise = Normaliser(SPEC, DEVICE)

    def epoch(number: int) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in source.epoch(number):
            inputs = normalise(images) if images.dtype == torch.uint8 else images
            synchronised(0)
            yield inputs, labels

    return epoch


def settled(source: ResidentImages) -> ResidentImages:
    for number in (0, 1):
        next(iter(source.epoch(number)))
    if not source.resident:
        raise RuntimeError("the pictures did not get into the device's memory")
    return source


def way(batches: Batches) -> Callable[[], int]:
    epochs = count(1)
    return lambda: synchronised(sum(len(labels) for _, labels in batches(next(epochs))))


def our_steps(name: str, precision: Precision, batches: Batches) -> Callable[[], int]:
    network = create(name)
    network.replace_head(CLASSES)
    recipe, groups = Recipe("scratch", precision=precision), parameter_groups(network, weight_decay=0.01)
    optimiser = partial(make_optimiser, recipe.optimiser, network, groups)
    trainer = Trainer(Tail(network, 0), optimiser, recipe, DEVICE, SPEC, CrossEntropy(0.1), False, 1)
    epochs = count(1)

    def turn() -> int:
        for inputs, labels in batches(next(epochs)):
            trainer.step(inputs, labels, 0.5, (0,))
        return synchronised(0)

    return turn


def their_steps(name: str, precision: Precision, batches: Batches) -> Callable[[], int]:
    network = getattr(torchvision.models, name)(num_classes=CLASSES).to(DEVICE, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.01)
    epochs = count(1)

    def turn() -> int:
        network.train()
        for inputs, labels in batches(next(epochs)):
            with torch.autocast(DEVICE.type, torch.bfloat16, enabled=precision == "bfloat16"):
                logits = network(inputs.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits.float(), labels, label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
        return synchronised(0)

    return turn


def repeated(batches: Batches, number: int) -> Batches:
    """One batch again and again: what the steps alone take."""
    batch = next((inputs.clone(), labels.to(DEVICE)) for inputs, labels in batches(0))
    return lambda _: (batch for _ in range(number))


def difference(photos: Path, host: AugmentedImages) -> tuple[int, float, float]:
    """Levels between the two ways to cut views of all photos: the most, the mean, and the share of more than one."""
    most, total, above, values = 0, 0.0, 0, 0
    for row in range(len(indexed(photos)[0])):
        picture, out = host.pictures.of(row), torch.empty(1, SPEC.height, SPEC.width, 3, dtype=torch.uint8)
        drawn = draw(picture.width, picture.height, SPEC, host.policy, rng_of(SEED, 9, row))
        host._fill(out.permute(0, 3, 1, 2), np.array([row]), np.zeros(1, np.int64), 9, SPEC, None)
        pixels = torch.from_numpy(picture.pixels()).to(DEVICE)
        view = cut_views([pixels], [drawn], SPEC.height, SPEC.width)
        off = (view.cpu().int() - out.permute(0, 3, 1, 2).int()).abs()
        most, above = max(most, int(off.max())), above + int((off > 1).sum())
        total, values = total + float(off.sum()), values + off.numel()
    return most, total / values, above / values


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    photos, passes, workers = given.photos, given.passes, given.workers
    images = len(indexed(photos)[0]) * passes // BATCH * BATCH
    rows = []
    for title, policy in (("crop and flip", Policy(True, AREA, 0)), ("crop, flip and colours", Policy(True, AREA))):
        with (
            tempfile.TemporaryDirectory(prefix="linne-bench-") as folder,
            closing(opened(photos, policy, Path(folder))) as kept,
        ):
            host = host_source(photos, policy, passes, kept)
            for _ in host.epoch(0):
                pass
            resident = settled(ResidentImages(host, DEVICE))
            if DEVICE.type == "cuda":
                rows.append((title, *difference(photos, host)))
            loaded = torchvision_batches(photos, policy, passes, workers)
            sources = {
                f"torchvision, {workers} workers": loaded,
                f"linne, {available_cores()} threads, from files": normalised(
                    host_source(photos, policy, passes, None)
                ),
                f"linne, {available_cores()} threads, from the cache": normalised(host),
                "linne, in the GPU's memory": normalised(resident),
            }
            ways = {name: way(batches) for name, batches in sources.items()}
            yield compare(f"Batches of {BATCH}, {title}, {images} photos", ways, images, "images", given.turns)
            for name in given.networks if policy.colour else ():
                for precision in given.precisions:
                    once = repeated(normalised(resident), images // BATCH)
                    ways = {
                        f"torchvision, {workers} workers": their_steps(name, precision, loaded),
                        "torchvision, steps alone": their_steps(name, precision, once),
                        "linne, threads, from the cache": our_steps(name, precision, host.epoch),
                        "linne, in the GPU's memory": our_steps(name, precision, resident.epoch),
                        "linne, steps alone": our_steps(name, precision, once),
                    }
                    yield compare(f"Training {name}, {precision}, {title}", ways, images, "images", given.turns)
    yield Table(
        "Levels of 255 between views cut on the GPU and by threads", ("", "most", "mean", "above 1"), tuple(rows)
    )


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("--passes", {"type": int, "default": 2}),
            ("--turns", {"type": int, "default": 3}),
            ("--workers", {"type": int, "default": available_cores()}),
            ("--networks", {"nargs": "*", "default": ["mobilenet_v2", "resnet18"]}),
            ("--precisions", {"nargs": "*", "default": ("float32", "bfloat16")}),
        ],
    )
