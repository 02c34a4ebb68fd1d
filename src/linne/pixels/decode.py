"""Bytes to an upright 8-bit picture, by one stated policy for every format and mode.

====================  =========================================================================
what comes            what becomes of it
====================  =========================================================================
any of `FORMATS`      the first frame of an animation, the first page of a TIFF
any other format      an error: some of Pillow's readers start other programs (EPS starts Ghostscript)
EXIF orientation      applied; damaged EXIF is passed over
gray, 1 bit           kept as intensities; RGB repeats them
palette               its colours
transparency          laid over white
CMYK, YCbCr, LAB      converted to RGB (Adobe's inverted CMYK is put right)
16 bit gray           scaled linearly from 0..65535 to 0..255
32 bit, float         [0, 1] or 0..65535 where the values fit, else from the smallest to the largest value
colour profile        ignored, as every common training pipeline does
too large             above `MAX_PIXELS` an error before anything is decoded
out of proportion     an error, where a few bytes ask for gigabytes or hours: see `linne.pixels.costs`
damaged, truncated    an error: half a picture is not a picture
====================  =========================================================================
"""

from __future__ import annotations

import io
import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from linne.pixels.costs import check_costs, has_endless_exif
from linne.pixels.header import Header, header_of, orientation_of
from linne.records.errors import ImageError

MAX_PIXELS = 178_956_970
"""Width times height, as Pillow's own limit: 512 MiB in RGB."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO", "TGA")

WHITE = 255
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow warns of large pictures, which have a limit of our own, and of odd metadata. Not by `catch_warnings` around
# each picture: threads that decode at the same time would restore each other's filters.
warnings.filterwarnings("ignore", module=r"PIL\.")


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
    MemoryError
        There is not enough memory now: that is no fault of the image.
    """
    return decode_with_header(content, channels, name)[0]


def decode_with_header(
    content: bytes, channels: Literal[1, 3] | int, name: str = "image"
) -> tuple[Image.Image, Header]:
    """As `decode`, and what the file says of itself."""
    remedy = "leave it out or replace it"
    try:
        if has_endless_exif(content):
            raise ValueError("too many segments of EXIF")
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise ImageError(f"more than {MAX_PIXELS} pixels", file=name, value=f"{width} x {height}", remedy=remedy)
        check_costs(picture, content)
        header = header_of(picture)
        picture.load()
        # Gray comes from RGB for every mode, so that a file has one gray picture.
        # Asked anew: loading a TIFF turns it.
        upright = _upright(_to_8_bits(picture).convert("RGB"), orientation_of(picture))
        return (upright.convert("L") if channels == 1 else upright), header
    except (ImageError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise ImageError(f"is no image: {_looks_like(content)}", file=name, remedy=remedy) from None
    except Image.DecompressionBombError:
        raise ImageError(f"more than {MAX_PIXELS} pixels", file=name, remedy=remedy) from None
    except Exception as error:  # on damaged files Pillow's readers raise anything
        raise ImageError("is damaged", file=name, value=error, remedy=remedy) from error


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    turn = _UPRIGHT.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _to_8_bits(picture: Image.Image) -> Image.Image:
    """Bring any mode to one that converts to L or RGB without losing what a person sees."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return Image.fromarray(_intensities(np.asarray(picture)))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, (WHITE, WHITE, WHITE, WHITE))
        return Image.alpha_composite(paper, picture).convert("RGB")
    return picture


def _intensities(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale 16-bit, 32-bit or float intensities to uint8."""
    if not np.isfinite(values).all():  # before the cast, which warns of some
        raise ValueError("intensities that are no numbers")
    deep = values.astype(np.float64)
    low, high = float(deep.min()), float(deep.max())
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    span = high - low
    if not span:
        return np.zeros(deep.shape, np.uint8)
    deep -= low  # in place: the largest pictures take gigabytes
    deep *= 255 / span
    return np.rint(deep, out=deep).astype(np.uint8)


def _looks_like(content: bytes) -> str:
    start = content[:256].lstrip().lower()
    if not content:
        return "the file is empty"
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "it holds a web page"
    if start.startswith((b"%pdf", b"pk\x03\x04")):
        return "it holds a PDF or an archive"
    return "no known image format"
