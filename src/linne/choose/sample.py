"""A look at a few images before anything is decided: sizes, colour, and how fast they decode."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linne.pixels.decode import decode
from linne.pixels.prepare import normalise, pixels_of
from linne.records.content import Content
from linne.records.errors import DataError, ImageError
from linne.records.fingerprint import of_bytes
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.runtime.cores import available_cores

SAMPLE = 64

FEW = 8
"""Of these, as a network's input."""

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
        To read and decode one image, with all cores at it; the median, for the first ones take longer.
    digests : tuple of bytes
        Of the files that could be read: they tell how much a store holds already.
    reading : float
        Of `seconds`, to read an image and take its digest: that is done for images that are stored, too.
    """

    pictures: tuple[Image.Image, ...]
    shorter_side: int
    colour: bool
    seconds: float
    digests: tuple[bytes, ...]
    reading: float = 0.0

    def inputs(self, spec: PixelSpec) -> NDArray[np.float32]:
        """Give the first few as a network's input: ``(n, channels, height, width)``."""
        few = (picture.convert("L" if spec.channels == 1 else "RGB") for picture in self.pictures[:FEW])
        return np.stack([normalise(pixels_of(picture, spec), spec) for picture in few])


def take_sample(index: Index) -> Sample:
    """Read a sample.

    Raises
    ------
    DataError
        None of it can be decoded.
    """
    rows = np.random.default_rng(0).permutation(np.unique(np.linspace(0, len(index) - 1, SAMPLE).astype(np.int64)))
    pictures: list[Image.Image] = []
    digests: list[bytes] = []
    seconds: list[float] = []
    reading: list[float] = []
    problems: list[str] = []
    held = 0
    at_once = 2 * available_cores()
    with ThreadPoolExecutor(available_cores(), thread_name_prefix="sample") as pool:
        for start in range(0, len(rows), at_once):
            contents = [index.content(int(row)) for row in rows[start : start + at_once]]
            began = time.perf_counter()
            looks = list(pool.map(_look, contents))
            seconds.append((time.perf_counter() - began) / len(contents))
            digests += [digest for digest, _, _ in looks if digest is not None]
            reading += [took / available_cores() for _, took, _ in looks]
            for _, _, picture in looks:
                if isinstance(picture, str):
                    problems.append(picture)
                elif held < HELD_BYTES:
                    pictures.append(picture)
                    held += 3 * picture.width * picture.height
            if held >= HELD_BYTES:
                break
    if not pictures:
        raise DataError(
            f"none of {len(problems)} images can be read",
            file=index.root,
            value=problems[0],
            remedy="fetch them anew, or give the folder that has the images",
        )
    sides = [min(picture.size) for picture in pictures]
    return Sample(
        tuple(pictures),
        int(np.median(sides)),
        any(map(_colourful, pictures)),
        float(np.median(seconds)),
        tuple(digests),
        float(np.median(reading)),
    )


def _look(content: Content) -> tuple[bytes | None, float, Image.Image | str]:
    """Digest of a file, the seconds that this took, and its picture, or why there is none."""
    digest, began, took = None, time.perf_counter(), 0.0
    try:
        read = content.read()
        digest = of_bytes(read)
        took = time.perf_counter() - began
        return digest, took, decode(read, 3, content.name)
    except ImageError as error:
        return digest, took, str(error)


def _colourful(picture: Image.Image) -> bool:
    red, green, blue = (channel.tobytes() for channel in picture.resize((16, 16)).split())
    return red != green or green != blue
