"""Bytes to an upright 8-bit picture, by one stated policy for every format and mode.

====================  =========================================================================
what comes            what becomes of it
====================  =========================================================================
any format            what Pillow opens; the first frame of an animation, the first page of a TIFF
EXIF orientation      applied
gray, 1 bit           kept as intensities; RGB repeats them
palette               its colours
transparency          laid over white
CMYK, YCbCr, LAB      converted to RGB (Adobe's inverted CMYK is put right)
16 bit gray           scaled linearly from 0..65535 to 0..255
32 bit, float         [0, 1] or 0..65535 where the values fit, else from the smallest to the largest value
colour profile        ignored, as every common training pipeline does
too large             above `MAX_PIXELS` an error before anything is decoded
damaged, truncated    an error: half a picture is not a picture
====================  =========================================================================
"""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from linne.records.errors import ImageError

MAX_PIXELS = 178_956_970
"""Width times height, as Pillow's own limit: 512 MiB in RGB."""

MAX_BYTES = 1 << 30
"""A larger file is refused unread."""

WHITE = 255


def read_file(path: Path) -> bytes:
    """Read an image file whole.

    Raises
    ------
    ImageError
        It is gone, may not be read, or has more than `MAX_BYTES`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError("cannot be read", file=path, value=error.strerror, remedy="check the path") from error
    if len(content) > MAX_BYTES:
        raise ImageError(f"more than {MAX_BYTES} bytes", file=path, remedy="leave it out or replace it")
    return content


def decode(content: bytes, channels: Literal[1, 3] | int, name: str = "image") -> Image.Image:
    """Decode an image file.

    Parameters
    ----------
    content : bytes
        The whole file.
    channels : {1, 3}
        1 gives mode ``L`` (ITU-R 601 luma), 3 gives mode ``RGB``.
    name : str
        What to call it in an error.

    Returns
    -------
    PIL.Image.Image
        Upright, 8 bits a channel.

    Raises
    ------
    ImageError
        No image, a damaged one, or one of more than `MAX_PIXELS`.
    """
    remedy = "leave it out or replace it"
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and odd metadata; our own limit is checked below.
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content))
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise ImageError(
                    f"more than {MAX_PIXELS} pixels", file=name, value=f"{width} x {height}", remedy=remedy
                )
            picture.load()
            picture = ImageOps.exif_transpose(picture)
            # Gray comes from RGB for every mode, so that a file has one gray picture.
            upright = _to_8_bits(picture).convert("RGB")
            return upright.convert("L") if channels == 1 else upright
    except UnidentifiedImageError:
        raise ImageError(f"is no image: {_looks_like(content)}", file=name, remedy=remedy) from None
    except Image.DecompressionBombError:
        raise ImageError(f"more than {MAX_PIXELS} pixels", file=name, remedy=remedy) from None
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, AttributeError) as error:
        # Pillow's readers raise any of these on damaged files.
        raise ImageError("is damaged", file=name, value=error, remedy=remedy) from error
    except (struct.error, ZeroDivisionError, OverflowError, MemoryError, RuntimeError, AssertionError) as error:
        raise ImageError("is damaged", file=name, value=error, remedy=remedy) from error


def _to_8_bits(picture: Image.Image) -> Image.Image:
    """Bring any mode to one that converts to L or RGB without losing what a person sees."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return Image.fromarray(_intensities(np.asarray(picture)))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, (WHITE, WHITE, WHITE, WHITE))
        return Image.alpha_composite(paper, picture).convert("RGB")
    return picture


def _intensities(values: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Scale 16-bit, 32-bit or float intensities to uint8."""
    deep = values.astype(np.float64)
    if not np.isfinite(deep).all():
        raise ValueError("intensities that are no numbers")
    low, high = float(deep.min()), float(deep.max())
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    span = high - low
    return np.rint((deep - low) * (255 / span)).astype(np.uint8) if span else np.zeros(deep.shape, np.uint8)


def _looks_like(content: bytes) -> str:
    start = content[:256].lstrip().lower()
    if not content:
        return "the file is empty"
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "it holds a web page"
    if start.startswith((b"%pdf", b"pk\x03\x04")):
        return "it holds a PDF or an archive"
    return "no known image format"
