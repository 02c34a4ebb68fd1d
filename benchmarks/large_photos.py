"""Photos of 12 megapixels to 224 pixels: linne's decoding for random views and hashes, against Pillow's whole decoding,
and Pillow told to take what is no smaller than needed (`draft`), which few know.

The photos are made: scenes with the grain of a sensor, as JPEGs of falling quality. One thread. At 1/8 of the size
little is left but reading the codes of the whole file: that is the floor, and the ratio depends on a photo's bytes.

Usage: large_photos.py [--seconds 9]
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from harness import Comparison, Table, compare_for, main
from PIL import Image

from linne.fit.augment import resize_into
from linne.pixels.shrunk import Undecoded, shrink_for

SIDE, WIDTH, HEIGHT, PHOTOS = 224, 4000, 3000, 3
QUALITIES = (92, 80, 60)


def photo(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    blobs = Image.fromarray(rng.integers(0, 256, (60, 80, 3), np.uint8))
    coarse = blobs.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 4, (HEIGHT, WIDTH, 1))
    pixels = np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def encoded(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def by_pillow(content: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def by_draft(content: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(content))
    picture.draft("RGB", (SIDE, SIDE))
    return np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def by_linne(content: bytes) -> np.ndarray:
    picture = Undecoded(content, 3)
    out = np.empty((1, SIDE, SIDE, 3), np.uint8)
    pixels = picture.pixels(shrink_for((picture.width, picture.height), (SIDE, SIDE)))
    resize_into(torch.from_numpy(out).permute(0, 3, 1, 2), pixels[None])
    return out[0]


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    torch.set_num_threads(1)
    pictures = [photo(seed) for seed in range(PHOTOS)]
    rows = []
    for quality in QUALITIES:
        contents = [encoded(picture, quality) for picture in pictures]
        megabytes = sum(map(len, contents)) / PHOTOS / 1e6
        off = [np.abs(by_pillow(content).astype(int) - by_linne(content)) for content in contents]

        def each(way: Callable[[bytes], np.ndarray], contents: list[bytes] = contents) -> None:
            for content in contents:
                way(content)

        ways = {
            "Pillow": partial(each, by_pillow),
            "Pillow, draft": partial(each, by_draft),
            "linne": partial(each, by_linne),
        }
        title = f"Photos of {WIDTH} x {HEIGHT} pixels, {megabytes:.1f} MB, to {SIDE} pixels"
        found = compare_for(title, ways, given.seconds / len(QUALITIES), PHOTOS, "photos")
        yield found
        seconds = found.timings[-1].median / PHOTOS
        off_by = round(float(np.mean(off)), 2), int(np.max(off))
        rows.append((f"{megabytes:.1f} MB", round(1e3 * seconds, 1), round(1e3 * seconds / megabytes, 1), *off_by))
    columns = ("a photo", "ms", "ns a byte", "levels off Pillow's, mean", "at most")
    yield Table("What linne takes", columns, tuple(rows))


if __name__ == "__main__":
    main(__doc__, measure, [("--seconds", {"type": float, "default": 9.0})])
