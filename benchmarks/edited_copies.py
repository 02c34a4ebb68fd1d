"""Which changes of a photo are still told for a copy, without a network and with one; and what is wrongly told for one.

Copies of some photos are made by each change, looked at and embedded as the audit does, and compared with all photos.

Usage: edited_copies.py PHOTOS WEIGHTS [--images N]
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from harness import Cell, Comparison, Table, main
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from linne.audit import edited_copies
from linne.audit.compared import Known
from linne.audit.duplicates import find_pairs
from linne.audit.pictures import Pictures
from linne.embed.embedding import Embedding, embed
from linne.records.progress import Silent
from linne.road.look import gather

Rows = NDArray[np.int64]
Change = Callable[[Image.Image], Image.Image]


def recompressed(quality: int) -> Change:
    return lambda picture: Image.open(io.BytesIO(encoded(picture, quality)))


def scaled(by: float) -> Change:
    return lambda picture: picture.resize((round(by * picture.width), round(by * picture.height)))


def cropped(cut: float, x: float, y: float) -> Change:
    """Cut off a share of each side; `x` and `y` say how much of it on the left and above."""

    def change(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        left, above = round(cut * width * x), round(cut * height * y)
        return picture.crop((left, above, left + round((1 - cut) * width), above + round((1 - cut) * height)))

    return change


def written_on(picture: Image.Image) -> Image.Image:
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    height = picture.height
    draw.rectangle((10, height - 60, picture.width // 2, height - 20), fill="white")
    draw.text((20, height - 55), "www.shop.example", fill="black", font_size=24)
    return picture


CHANGES: dict[str, Change] = {
    "JPEG at quality 40": recompressed(40),
    "JPEG at quality 15": recompressed(15),
    "60% of the size": scaled(0.6),
    "30% of the size": scaled(0.3),
    "20% brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "50% brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.5),
    "30% darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.7),
    "40% more contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.4),
    "gray": lambda picture: picture.convert("L"),
    "mirrored": ImageOps.mirror,
    "upside down": lambda picture: picture.transpose(Image.Transpose.ROTATE_180),
    "turned left": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "turned by 3 degrees": lambda picture: picture.rotate(3, resample=Image.Resampling.BICUBIC),
    "5% cropped around the centre": cropped(0.05, 0.5, 0.5),
    "5% cropped in a corner": cropped(0.05, 0, 1),
    "10% cropped around the centre": cropped(0.1, 0.5, 0.5),
    "10% cropped in a corner": cropped(0.1, 1, 0),
    "20% cropped around the centre": cropped(0.2, 0.5, 0.5),
    "white frame of 20 pixels": lambda picture: ImageOps.expand(picture, 20, "white"),
    "a line of text": written_on,
    "mirrored and 5% cropped": lambda picture: cropped(0.05, 0.5, 0.5)(ImageOps.mirror(picture)),
}


def encoded(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=quality)
    return file.getvalue()


def pairs_among(embedding: Embedding, rows: Rows, with_network: bool) -> set[tuple[int, int]]:
    """What the audit would find if there were these rows only."""
    seen = Pictures(
        embedding.passed.digest[rows],
        embedding.hash[rows],
        embedding.thumb[rows],
        embedding.detail[rows],
        embedding.features[rows] if with_network else None,
        np.ones(len(rows), bool),
    )
    pairs = find_pairs(seen, Known.nothing(len(rows)), 2, Silent())
    return set(zip(rows[pairs.first].tolist(), rows[pairs.second].tolist(), strict=True))


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    files = sorted(given.photos.rglob("*.jpg"))
    some = [files[i] for i in sorted(np.random.default_rng(7).permutation(len(files))[: given.images])]
    with tempfile.TemporaryDirectory() as name:
        for file in files:
            copied(Path(name, "a photo", file.name), file.read_bytes())
        for change, make in CHANGES.items():
            for file in some:
                copied(Path(name, change, file.name), encoded(make(Image.open(file).convert("RGB")), 90))
        material = gather(Path(name), None, given.weights, None, 0, Silent())
        index = material.index
        embedding = embed(index, material.backbone, Path(name, "cache"), Silent())
    paths = index.paths.to_pylist()
    folder, row_of = np.array([path.split("/")[0] for path in paths]), {path: row for row, path in enumerate(paths)}
    originals = np.flatnonzero(folder == "a photo")
    chosen = edited_copies.FARTHEST, edited_copies.FARTHEST_BY_STRUCTURE
    ways = {
        "without a network": (False, chosen),
        "brightness agrees": (True, (chosen[0], (-1.0, 0.0))),
        "structure, stricter": (True, (chosen[0], (chosen[1][0] - 0.1, chosen[1][1]))),
        "chosen": (True, chosen),
        "structure, laxer": (True, (chosen[0], (chosen[1][0] + 0.1, chosen[1][1]))),
    }
    shares: dict[str, list[Cell]] = {row: [] for row in (*CHANGES, "pairs of originals")}
    for with_network, bounds in ways.values():
        edited_copies.FARTHEST, edited_copies.FARTHEST_BY_STRUCTURE = bounds
        for change in CHANGES:
            copies = np.flatnonzero(folder == change)
            planted = {
                tuple(sorted((int(row), row_of[f"a photo/{paths[row].split('/')[1]}"]))) for row in copies.tolist()
            }
            pairs = pairs_among(embedding, np.sort(np.concatenate([originals, copies])), with_network)
            shares[change].append(round(len(planted & pairs) / len(planted), 3))
        shares["pairs of originals"].append(len(pairs_among(embedding, originals, with_network)))
    title = f"Share of copies found, for {len(some)} photos among {len(files):,}"
    yield Table(title, ("", *ways), tuple((row, *cells) for row, cells in shares.items()))


def copied(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("weights", {"type": Path}),
            ("--images", {"type": int, "default": 250, "help": "photos that are copied"}),
        ],
    )
