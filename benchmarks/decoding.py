"""Which library decodes JPEGs fastest on one core, whole and at half of their width and height?

Photos lie in memory, in red, green and blue as they are stored: none is turned as its EXIF says. Before that a table
says how far each whole decoder's pixels are from Pillow's.

Usage: decoding.py PHOTOS [--images 100] [--seconds 10]    (JPEGs anywhere below PHOTOS)
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from harness import Comparison, Table, compare_for, main, missing
from numpy.typing import NDArray
from PIL import Image

Decode = Callable[[bytearray], NDArray[np.uint8]]
Decoders = dict[str, Decode]
SUFFIXES = (".jpg", ".jpeg")


def sampled(folder: Path, images: int) -> list[bytearray]:
    """Colour JPEGs from all over a folder, writable as torch wants them."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    spread = [files[place] for place in np.linspace(0, len(files) - 1, min(images, len(files))).astype(int)]
    contents = [bytearray(path.read_bytes()) for path in spread]
    coloured = [content for content in contents if Image.open(io.BytesIO(content)).mode == "RGB"]
    if not coloured:
        raise SystemExit(f"no JPEGs in colour below {folder}")
    return coloured


def size_of(content: bytearray) -> tuple[int, int]:
    return Image.open(io.BytesIO(content)).size


def pillow() -> tuple[Decoders, Decoders]:
    def half(content: bytearray) -> NDArray[np.uint8]:
        picture = Image.open(io.BytesIO(content))
        picture.draft("RGB", (picture.width // 2, picture.height // 2))
        return np.asarray(picture)

    return {"Pillow": lambda content: np.asarray(Image.open(io.BytesIO(content)))}, {"Pillow, draft": half}


def simplejpeg() -> tuple[Decoders, Decoders]:
    from simplejpeg import decode_jpeg, decode_jpeg_header

    def half(content: bytearray, fast: bool) -> NDArray[np.uint8]:
        height, width, *_ = decode_jpeg_header(content)
        return decode_jpeg(content, "RGB", fast, fast, -(-height // 2), -(-width // 2), 2)

    return (
        {
            "simplejpeg": lambda content: decode_jpeg(content, "RGB"),
            "simplejpeg, fast DCT and upsampling": lambda content: decode_jpeg(content, "RGB", True, True),
        },
        {
            "simplejpeg, half": lambda content: half(content, False),
            "simplejpeg, half, fast DCT and upsampling": lambda content: half(content, True),
        },
    )


def opencv() -> tuple[Decoders, Decoders]:
    import cv2

    cv2.setNumThreads(1)
    as_stored = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    half = as_stored | cv2.IMREAD_REDUCED_GRAYSCALE_2  # IMREAD_REDUCED_COLOR_2 in the order of RGB: colour is asked for

    def by(flags: int) -> Decode:
        return lambda content: cv2.imdecode(np.frombuffer(content, np.uint8), flags)

    return {"OpenCV": by(as_stored)}, {"OpenCV, half": by(half)}


def torchvision() -> tuple[Decoders, Decoders]:
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg

    torch.set_num_threads(1)

    def whole(content: bytearray) -> NDArray[np.uint8]:
        pixels = decode_jpeg(torch.frombuffer(content, dtype=torch.uint8), ImageReadMode.RGB)
        return pixels.permute(1, 2, 0).numpy()

    return {"torchvision.io": whole}, {}


PEERS = {
    "simplejpeg": ("simplejpeg", simplejpeg),
    "opencv-python-headless": ("cv2", opencv),
    "torchvision": ("torchvision", torchvision),
}
"""By package: its module, and what gives its decoders, whole and half."""


def decoders() -> tuple[Decoders, Decoders]:
    whole, half = pillow()
    for package, (module, load) in PEERS.items():
        if find_spec(module) is None:
            missing(package, "its decoder of JPEGs")
            continue
        more, smaller = load()
        whole |= more
        half |= smaller
    return whole, half


def levels(whole: Decoders, contents: list[bytearray]) -> Table:
    """How far pixels are from Pillow's."""
    pillows, rows = whole["Pillow"], []
    for name, decode in whole.items():
        off = [np.abs(decode(content).astype(np.int16) - pillows(content)) for content in contents]
        mean = sum(int(each.sum()) for each in off) / sum(each.size for each in off)
        rows.append((name, round(mean, 4), int(max(each.max() for each in off))))
    return Table(f"Levels of 255 off Pillow's, {len(contents)} photos", ("", "mean", "max"), tuple(rows))


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    contents = sampled(given.photos, given.images)
    whole, half = decoders()
    yield levels(whole, contents)

    def each(decode: Decode) -> None:
        for content in contents:
            decode(content)

    ways = {name: lambda decode=decode: each(decode) for name, decode in {**whole, **half}.items()}
    width, height = (round(float(np.median(sides))) for sides in zip(*map(size_of, contents), strict=True))
    title = f"Decoding photos of {width} x {height} pixels in the median, as they are, on one core"
    yield compare_for(title, ways, given.seconds, len(contents), "photos")


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("--images", {"type": int, "default": 100}),
            ("--seconds", {"type": float, "default": 10.0}),
        ],
    )
