"""Files to augmented training batches of 224 pixels: linne against torchvision's folder and loader with two workers.

A pass over the images each, by turns. Both give random crops of 35% to 100% of the picture (or, "crop and flip only",
of the input's size), mirrored every second time, normalised float32. "uint8" is what a
GPU takes from linne, and normalises there; a network on the CPU takes float32.

Usage: batches.py PHOTOS [--images N]    (class folders of JPEGs)
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from linne.fit.decoded import Pictures
from linne.fit.policy import Policy
from linne.fit.sources import AugmentedImages
from linne.index.class_folders import read_folder
from linne.nets.catalogue import entry
from linne.pixels.cache import PixelCache
from linne.records.fingerprint import of_bytes
from linne.records.index import Index

BATCH, SEED, ROUNDS, WORKERS = 64, 0, 5, 2
SPEC = entry("mobilenet_v2").pixels
AREA = (0.35, 1.0)


def torchvision_loader(photos: Path, images: int, resized: bool) -> Callable[[int], int]:
    crop = (
        [v2.RandomResizedCrop(SPEC.height, AREA, antialias=True)]
        if resized
        else [v2.Resize(SPEC.resize), v2.RandomCrop(SPEC.height)]
    )
    change = v2.Compose(
        [
            *crop,
            v2.RandomHorizontalFlip(),
            v2.ToImage(),
            v2.ToDtype(torch.float32, True),
            v2.Normalize(SPEC.mean, SPEC.std),
        ]
    )
    data = Subset(ImageFolder(str(photos), change), range(images))
    loader = DataLoader(data, BATCH, True, num_workers=WORKERS, persistent_workers=True, drop_last=True)
    return lambda _: sum(len(labels) for _, labels in loader)


@cache
def indexed(photos: Path) -> tuple[Index, NDArray[np.uint8]]:
    """The index, and the digests that the pass over a data set has found before anything is trained."""
    index = read_folder(photos)
    digests = [np.frombuffer(of_bytes(index.content(row).read()), np.uint8) for row in range(len(index))]
    return index, np.stack(digests)


def linne_source(
    photos: Path, images: int, policy: Policy, folder: Path | None, floats: bool = True
) -> AugmentedImages:
    index, digest = indexed(photos)
    kept = None if folder is None else PixelCache(folder, digest, SPEC.channels, policy.cache_side(SPEC), 10**11)
    pictures = Pictures(index, SPEC.channels, kept, digest)
    return AugmentedImages(pictures, index.label, np.arange(images), SPEC, policy, floats, BATCH, SEED)


def passes(source: AugmentedImages) -> Callable[[int], int]:
    return lambda epoch: sum(len(labels) for _, labels in source.epoch(epoch))


def building(photos: Path, images: int, policy: Policy) -> Callable[[int], int]:
    """A first epoch that also writes the cache: a new one each time."""

    def once(epoch: int) -> int:
        folder = Path(tempfile.mkdtemp(prefix="linne-bench-"))
        try:
            return passes(linne_source(photos, images, policy, folder))(epoch)
        finally:
            shutil.rmtree(folder)

    return once


def rates(ways: dict[str, Callable[[int], int]]) -> Iterator[tuple[str, float, float]]:
    """Images a second of each, and the median over rounds of its ratio to the first."""
    for once in ways.values():
        once(0)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(1, ROUNDS + 1):
        for name, once in ways.items():
            start = time.perf_counter()
            seen = once(number)
            found[name].append(seen / (time.perf_counter() - start))
    first = next(iter(found.values()))
    for name, values in found.items():
        yield name, statistics.median(values), statistics.median(a / b for a, b in zip(values, first, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--images", type=int, default=1024)
    arguments = parser.parse_args()
    photos, images = arguments.photos, arguments.images
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder:
        for title, policy in (
            ("random resized crop and flip", Policy(True, AREA, 0)),
            ("crop and flip only", Policy(True, None, 0)),
        ):
            cached = linne_source(photos, images, policy, Path(folder))
            intensities = linne_source(photos, images, policy, Path(folder), floats=False)
            ways = {
                "torchvision, 2 workers": torchvision_loader(photos, images, policy.area is not None),
                "linne, from files": passes(linne_source(photos, images, policy, None)),
                "linne, from files, building the cache": building(photos, images, policy),
                "linne, from the cache": passes(cached),
                "linne, from the cache, uint8": passes(intensities),
            }
            print(f"\n{title}, {images} images, batches of {BATCH}")
            for name, rate, ratio in rates(ways):
                print(f"{name:<40}{rate:>9,.0f} images/s {ratio:>7.2f}x", flush=True)


if __name__ == "__main__":
    main()
