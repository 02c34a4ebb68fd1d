"""Bytes to a picture that is no larger than needed: an approximation, for hashes and random views in training.

A JPEG holds 8 x 8 blocks of frequencies; leaving the high ones out gives it at 1/2, 1/4 or 1/8 of its size for a
fraction of the work, and its luma alone for less still (libjpeg-turbo, by simplejpeg). Anything else is decoded whole
and shrunk by averages. What is validated, exported and served sees `linne.pixels.decode` alone.
"""

from __future__ import annotations

import io
from typing import Protocol

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from linne.pixels.costs import has_endless_exif, has_endless_scans, header_end
from linne.pixels.decode import FORMATS, MAX_PIXELS, decode, decode_with_header
from linne.pixels.header import Header, header_of

SHRINKS = (8, 4, 2)
"""With fast code for each; there is none for 3/8 or 3/4."""

_MAY_TURN = (b"Exif\0\0", b"http://ns.adobe.com/xap")
"""What a JPEG must hold, before its first scan, to say how it is turned."""

_TURNED_ON_SIDE = (5, 6, 7, 8)


class Picture(Protocol):
    """What a view is cut from; `width` and `height` are those of the upright picture, whole."""

    width: int
    height: int

    def pixels(self, shrink: int = 1) -> NDArray[np.uint8]:
        """Give it at 1/`shrink` of its size, or larger: ``(height, width, channels)``."""


class Decoded:
    """A picture that is decoded already, ``(height, width, channels)`` uint8."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._pixels = pixels
        self.height, self.width = pixels.shape[:2]

    def pixels(self, shrink: int = 1) -> NDArray[np.uint8]:  # noqa: ARG002 - it could only get slower
        """Give it as it is."""
        return self._pixels


class Undecoded:
    """An image file whose header alone was read.

    Parameters
    ----------
    content : bytes
        The whole file.
    channels : {1, 3}
    name : str
        What to call it in an error.

    Attributes
    ----------
    width, height : int
        Of the upright picture, whole.
    header : Header
        What the file says of itself.

    Raises
    ------
    ImageError
        No image, a damaged one, or one of more than `linne.pixels.decode.MAX_PIXELS`.
    """

    def __init__(self, content: bytes, channels: int, name: str = "image") -> None:
        self._content, self._channels, self._name = content, channels, name
        self._whole: Image.Image | None = None
        jpeg = self._read_jpeg()
        if jpeg is not None and has_endless_scans(content, jpeg[0] * jpeg[1]):
            jpeg = None
        self._is_jpeg = jpeg is not None
        if jpeg is None:
            self._whole, self.header = decode_with_header(content, channels, name)
            self.width, self.height = self._whole.size
        else:
            self.width, self.height, self.header = jpeg

    def pixels(self, shrink: int = 1) -> NDArray[np.uint8]:
        """Decode at 1/`shrink` of the size.

        Parameters
        ----------
        shrink : {1, 2, 4, 8}

        Returns
        -------
        (height, width, channels) uint8 array
            Sides are divided and rounded up.
        """
        if self._is_jpeg:
            try:
                return self._jpeg(shrink)
            except ValueError:  # damaged, or odd: Pillow's verdict holds
                pass
        if self._whole is None:
            self._whole = decode(self._content, self._channels, self._name)
        whole = self._whole.reduce(shrink) if shrink > 1 else self._whole
        pixels = np.asarray(whole)
        return pixels if pixels.ndim == 3 else pixels[:, :, None]

    def _read_jpeg(self) -> tuple[int, int, Header] | None:
        """Upright width and height, and the header, if it is a JPEG of the common kind."""
        if not self._content.startswith(b"\xff\xd8"):
            return None
        start = self._content[: header_end(self._content)]
        if not any(mark in start for mark in _MAY_TURN):
            return self._read_plain()
        if has_endless_exif(self._content):
            return None
        try:
            picture = Image.open(io.BytesIO(self._content), formats=FORMATS)
        except Exception:  # noqa: BLE001 - on damaged files Pillow's readers raise anything; `decode` says what it is
            return None
        width, height = picture.size
        if picture.format not in ("JPEG", "MPO") or picture.mode not in ("RGB", "L") or width * height > MAX_PIXELS:
            return None
        header = header_of(picture)
        return (height, width, header) if header.orientation in _TURNED_ON_SIDE else (width, height, header)

    def _read_plain(self) -> tuple[int, int, Header] | None:
        """As `_read_jpeg`, where nothing can say that it is turned: in a tenth of the time."""
        try:
            height, width, colours, _ = simplejpeg.decode_jpeg_header(self._content)
        except ValueError:
            return None
        if colours not in ("YCbCr", "RGB", "Gray") or width * height > MAX_PIXELS:
            return None
        return width, height, Header("JPEG", "L" if colours == "Gray" else "RGB")

    def _jpeg(self, shrink: int) -> NDArray[np.uint8]:
        on_side = self.header.orientation in _TURNED_ON_SIDE
        width, height = (self.height, self.width) if on_side else (self.width, self.height)
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            self._content,
            "GRAY" if self._channels == 1 else "RGB",
            fastdct=True,
            fastupsample=True,
            min_height=-(-height // shrink),
            min_width=-(-width // shrink),
            min_factor=shrink,
        )
        return _upright(pixels, self.header.orientation)


def shrink_for(sides: tuple[float, float], wanted: tuple[int, int]) -> int:
    """Choose how much smaller a picture may be decoded, so that no side falls below what is wanted."""
    return next((s for s in SHRINKS if sides[0] >= s * wanted[0] and sides[1] >= s * wanted[1]), 1)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn ``(height, width, channels)`` as EXIF says."""
    if orientation in _TURNED_ON_SIDE:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
