"""How well near copies are told from pictures that are merely alike, for thresholds around the chosen ones.

Copies are planted among scanned digits (scikit-learn) and, where a folder is given, among some of the photos below it.

Usage: near_duplicates.py [PHOTOS] [--images N] [--digits N]
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from harness import Comparison, Table, main
from PIL import Image, ImageEnhance
from sklearn.datasets import load_digits

from linne.audit.near_copies import FLAT, MAX_DISTANCE, MIN_LIKENESS
from linne.index.scan import Listing, scan
from linne.pixels.decode import decode
from linne.pixels.perceptual import perceptual_hash, thumbnail

DIGITS = 1797
GRID = [(6, 0.985), (10, 0.95), (10, 0.97), (10, 0.98), (10, 0.985), (10, 0.99), (16, 0.985)]


def recompressed(picture: Image.Image) -> bytes:
    return _encoded(picture, "JPEG", quality=40)


def shrunk(picture: Image.Image) -> bytes:
    return _encoded(picture.resize([max(1, round(0.6 * side)) for side in picture.size]), "PNG")


def cropped(picture: Image.Image) -> bytes:
    x, y = (max(1, round(0.015 * side)) for side in picture.size)
    return _encoded(picture.crop((x, y, picture.width - x, picture.height - y)), "PNG")


def brighter(picture: Image.Image) -> bytes:
    return _encoded(ImageEnhance.Brightness(picture).enhance(1.1), "PNG")


def darker(picture: Image.Image) -> bytes:
    return _encoded(ImageEnhance.Brightness(picture).enhance(0.9), "PNG")


COPIES = {
    "JPEG at quality 40": recompressed,
    "60% of the size": shrunk,
    "3% cropped": cropped,
    "10% brighter": brighter,
    "10% darker": darker,
}


def _encoded(picture: Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **({"compress_level": 1} if kind == "PNG" else {}), **options)
    return file.getvalue()


def digits(number: int) -> list[Image.Image]:
    """Scans of 8 x 8 pixels, each pixel four times as wide and high."""
    return [
        Image.fromarray(np.kron(np.rint(scan * (255 / 16)).astype(np.uint8), np.ones((4, 4), np.uint8)))
        for scan in load_digits().images[:number]
    ]


def photos(folder: Path, number: int) -> list[Image.Image]:
    files = [path for item in scan(str(folder)) if isinstance(item, Listing) for path in item.paths()]
    spread = files[:: max(1, len(files) // number)][:number]
    return [decode((folder / path).read_bytes(), 3) for path in spread]


def looks(pictures: list[Image.Image]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hashes, unit thumbnails, and whether a thumbnail shows anything."""
    hashes = np.array([perceptual_hash(picture) for picture in pictures])
    thumbs = np.array([thumbnail(picture) for picture in pictures], np.float32).reshape(len(pictures), -1)
    thumbs -= thumbs.mean(axis=1, keepdims=True)
    shows = thumbs.std(axis=1) >= FLAT
    return hashes, thumbs / np.maximum(np.linalg.norm(thumbs, axis=1, keepdims=True), 1e-6), shows


def found(name: str, pictures: list[Image.Image]) -> Table:
    """For each threshold the share of planted copies found, and the pairs among the originals."""
    hashes, units, shows = looks(pictures)
    distance = np.bitwise_count(hashes[:, None] ^ hashes[None])
    likeness = units @ units.T
    above = np.triu(np.outer(shows, shows), 1)
    planted = {}
    for copy, make in COPIES.items():
        theirs = looks([decode(make(picture), 3) for picture in pictures])
        planted[copy] = np.bitwise_count(hashes ^ theirs[0]), (units * theirs[1]).sum(axis=1), shows & theirs[2]
    rows = []
    for bits, least in GRID:
        recalls = [((d <= bits) & (like >= least) & can_be_seen).mean() for d, like, can_be_seen in planted.values()]
        among = int(((distance <= bits) & (likeness >= least) & above).sum())
        chosen = ", chosen" if (bits, least) == (MAX_DISTANCE, MIN_LIKENESS) else ""
        rows.append((f"{bits} bits, {least}{chosen}", *(round(float(recall), 3) for recall in recalls), among))
    title = f"{name}: share of copies found for bits and likeness; {len(pictures)} images, {above.size // 2:,} pairs"
    return Table(title, ("", *COPIES, "pairs of originals"), tuple(rows))


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    yield found("Scanned digits", digits(given.digits))
    if given.photos is not None:
        yield found("Photos", photos(given.photos, given.images))


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path, "nargs": "?"}),
            ("--images", {"type": int, "default": 300, "help": "photos"}),
            ("--digits", {"type": int, "default": DIGITS}),
        ],
    )
