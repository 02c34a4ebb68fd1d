"""A look at a few images before anything is decided: sizes, colour, and how fast they decode."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from PIL import Image

from linne.pixels.decode import decode, read_file
from linne.records.errors import DataError, ImageError
from linne.records.fingerprint import of_bytes
from linne.records.index import Index

SAMPLE = 64

HELD_BYTES = 500_000_000
"""Decoded pictures are kept for the length of a run: of those of a good camera fewer than 64 suffice."""


@dataclass(frozen=True)
class Sample:
    """Up to 64 images, spread evenly over the index.

    Attributes
    ----------
    pictures : tuple of PIL.Image.Image
        RGB, in random order, so that the first few are spread evenly too.
    shorter_side : int
        Median, in pixels.
    colour : bool
        Whether any of them is more than gray.
    seconds : float
        To read and decode one image, on one core.
    digests : tuple of bytes
        Of the files that could be read: they tell how much a store holds already.
    """

    pictures: tuple[Image.Image, ...]
    shorter_side: int
    colour: bool
    seconds: float
    digests: tuple[bytes, ...]


def take_sample(index: Index) -> Sample:
    """Read a sample.

    Raises
    ------
    DataError
        None of it can be decoded.
    """
    rows = np.random.default_rng(0).permutation(np.unique(np.linspace(0, len(index) - 1, SAMPLE).astype(np.int64)))
    pictures, digests = [], []
    read, held = 0, 0
    start = time.perf_counter()
    for row in rows:
        if held >= HELD_BYTES:
            break
        read += 1
        try:
            content = read_file(index.file(int(row)))
            digests.append(of_bytes(content))
            pictures.append(decode(content, 3))
            held += 3 * pictures[-1].width * pictures[-1].height
        except ImageError:
            continue  # the audit tells of it
    seconds = (time.perf_counter() - start) / max(read, 1)
    if not pictures:
        raise DataError("no image of a sample can be read", file=index.root, remedy="see `linne audit`")
    sides = [min(picture.size) for picture in pictures]
    return Sample(tuple(pictures), int(np.median(sides)), any(map(_colourful, pictures)), seconds, tuple(digests))


def _colourful(picture: Image.Image) -> bool:
    red, green, blue = (channel.tobytes() for channel in picture.resize((16, 16)).split())
    return red != green or green != blue
