"""How well near copies are told from pictures that are merely alike, for thresholds around the chosen ones.

Copies are planted among scanned digits (scikit-learn) and among photos: ``python benchmarks/near_duplicates.py PHOTOS``
takes 300 images from below a folder. Prints a table in Markdown.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance
from sklearn.datasets import load_digits

from linne.audit.duplicates import FLAT, MAX_DISTANCE, MIN_LIKENESS
from linne.index.scan import Listing, scan
from linne.pixels.decode import decode
from linne.pixels.perceptual import perceptual_hash, thumbnail

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "data" / "clothing"
NUMBER = 300
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


def measure(name: str, pictures: list[Image.Image]) -> None:
    """Print, for each threshold, the share of planted copies found and the pairs among the originals."""
    hashes, units, shows = looks(pictures)
    distance = np.bitwise_count(hashes[:, None] ^ hashes[None])
    likeness = units @ units.T
    above = np.triu(np.outer(shows, shows), 1)
    planted = {}
    for copy, make in COPIES.items():
        theirs = looks([decode(make(picture), 3) for picture in pictures])
        planted[copy] = np.bitwise_count(hashes ^ theirs[0]), (units * theirs[1]).sum(axis=1), shows & theirs[2]
    print(f"\n{name}: {len(pictures)} images, {above.size // 2:,} pairs\n")
    print(f"| bits | likeness | {' | '.join(COPIES)} | pairs of originals |")
    print(f"| ---: | ---: | {' | '.join('---:' for _ in COPIES)} | ---: |")
    for bits, least in GRID:
        recalls = [((d <= bits) & (like >= least) & can_be_seen).mean() for d, like, can_be_seen in planted.values()]
        among = int(((distance <= bits) & (likeness >= least) & above).sum())
        chosen = " *" if (bits, least) == (MAX_DISTANCE, MIN_LIKENESS) else ""
        print(f"| {bits}{chosen} | {least} | {' | '.join(f'{r:.3f}' for r in recalls)} | {among} |")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PHOTOS
    measure("Scanned digits", digits(1797))
    if folder.is_dir():
        measure("Photos", photos(folder, NUMBER))
    else:
        print(f"\nNo photos in {folder}")


if __name__ == "__main__":
    main()
