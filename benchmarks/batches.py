"""Files to augmented training batches of 224 pixels: linne against torchvision's folder and loader with two workers.

A turn is a pass over the images. Both give random crops of 35% to 100% of the picture, mirrored every second time,
normalised float32. "uint8" is what a GPU takes from linne, and normalises there; a network on the CPU takes float32.

Usage: batches.py PHOTOS [--images N] [--turns N]    (class folders of JPEGs)
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
import torch
from harness import Comparison, Table, compare, main
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from linne.fit.decoded import Pictures
from linne.fit.growth import Growth
from linne.fit.order import Order
from linne.fit.policy import Policy
from linne.fit.sources import AugmentedImages
from linne.index.class_folders import read_folder
from linne.nets.catalogue import entry
from linne.pixels.cache import PixelCache
from linne.records.fingerprint import of_bytes
from linne.records.index import Index

BATCH, SEED, WORKERS = 64, 0, 2
SPEC = entry("mobilenet_v2").pixels
AREA = (0.35, 1.0)


def torchvision_loader(photos: Path, images: int) -> Callable[[int], int]:
    change = v2.Compose(
        [
            v2.RandomResizedCrop(SPEC.height, AREA, antialias=True),
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


def opened(photos: Path, policy: Policy, folder: Path) -> PixelCache:
    return PixelCache(folder, indexed(photos)[1], SPEC.channels, policy.cache_side(SPEC), 10**11)


def linne_source(
    photos: Path, images: int, policy: Policy, kept: PixelCache | None, floats: bool = True
) -> AugmentedImages:
    index, digest = indexed(photos)
    pictures = Pictures(index, SPEC.channels, kept, digest)
    growth, order = Growth(SPEC, None, None, 1, 1), Order.of(images, BATCH, SEED)
    return AugmentedImages(pictures, index.label, np.arange(images), growth, policy, order, floats)


def passes(source: AugmentedImages) -> Callable[[int], int]:
    return lambda epoch: sum(len(labels) for _, labels in source.epoch(epoch))


def building(photos: Path, images: int, policy: Policy, folder: Path) -> Callable[[int], int]:
    """A first epoch that also writes the cache: a new one each time."""

    def once(epoch: int) -> int:
        kept = opened(photos, policy, folder / f"{epoch}")
        seen = from_cache(linne_source(photos, images, policy, kept))(epoch)
        kept.close()
        return seen

    return once


def from_cache(source: AugmentedImages) -> Callable[[int], int]:
    """A pass after which every picture is in the cache: a full disk would make it one of decoding."""

    def once(epoch: int) -> int:
        seen = passes(source)(epoch)
        if source.pictures.uncached(source.rows):
            raise RuntimeError("the pixel cache did not keep all pictures")
        return seen

    return once


def way(once: Callable[[int], int], images: int) -> Callable[[], None]:
    """A pass with other random crops each turn, and over all of the images."""
    epochs = count()

    def turn() -> None:
        seen = once(next(epochs))
        if seen != images:
            raise RuntimeError(f"{seen} images of {images}")

    return turn


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    photos, images = given.photos, given.images // BATCH * BATCH  # both leave out a last batch that is smaller
    policy = Policy(True, AREA, 0)
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder:
        kept = opened(photos, policy, Path(folder))
        ways = {
            "torchvision, 2 workers": torchvision_loader(photos, images),
            "linne, from files": passes(linne_source(photos, images, policy, None)),
            "linne, from files, building the cache": building(photos, images, policy, Path(folder) / "built"),
            "linne, from the cache": from_cache(linne_source(photos, images, policy, kept)),
            "linne, from the cache, uint8": from_cache(linne_source(photos, images, policy, kept, floats=False)),
        }
        turns = {name: way(once, images) for name, once in ways.items()}
        title = f"Files to batches of {BATCH}, random resized crop and flip, {images} photos"
        yield compare(title, turns, images, "images", given.turns)
        kept.close()


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("--images", {"type": int, "default": 1024}),
            ("--turns", {"type": int, "default": 5}),
        ],
    )
