"""Photos of 12 megapixels to 224 pixels: linne's decoding for random views and hashes, against Pillow's whole decoding.

The photos are made: scenes with the grain of a sensor, as JPEGs of quality 92. One thread.

Usage: large_photos.py [--seconds 5]
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterator

import numpy as np
import torch
from harness import Comparison, Table, compare_for, main
from PIL import Image

from linne.fit.augment import resize_into
from linne.pixels.shrunk import Undecoded, shrink_for

SIDE, WIDTH, HEIGHT, PHOTOS = 224, 4000, 3000, 3


def photo(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    blobs = Image.fromarray(rng.integers(0, 256, (60, 80, 3), np.uint8))
    coarse = blobs.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 4, (HEIGHT, WIDTH, 1))
    pixels = np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return file.getvalue()


def by_pillow(content: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def by_linne(content: bytes) -> np.ndarray:
    picture = Undecoded(content, 3)
    out = np.empty((1, SIDE, SIDE, 3), np.uint8)
    pixels = picture.pixels(shrink_for((picture.width, picture.height), (SIDE, SIDE)))
    resize_into(torch.from_numpy(out).permute(0, 3, 1, 2), pixels[None])
    return out[0]


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    torch.set_num_threads(1)
    contents = [photo(seed) for seed in range(PHOTOS)]
    size = f"{WIDTH} x {HEIGHT} pixels, {len(contents[0]) / 1e6:.1f} MB"
    off = [np.abs(by_pillow(content).astype(int) - by_linne(content)) for content in contents]
    levels = ("linne", round(float(np.mean(off)), 2), int(np.max(off)))
    yield Table(f"Levels of 255 off Pillow's, {size}", ("", "mean", "max"), (levels,))

    def each(way: Callable[[bytes], np.ndarray]) -> None:
        for content in contents:
            way(content)

    ways = {"Pillow": lambda: each(by_pillow), "linne": lambda: each(by_linne)}
    yield compare_for(f"Photos to {SIDE} pixels, {size}", ways, given.seconds, PHOTOS, "photos")


if __name__ == "__main__":
    main(__doc__, measure, [("--seconds", {"type": float, "default": 5.0})])
