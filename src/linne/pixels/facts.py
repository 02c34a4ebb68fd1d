"""What is cheap to know of each image: its file, its size, and statistics of its pixels.

They are taken from the small picture that hashes need: a JPEG decoded at a fraction of its size, no side below 96
pixels where the image has as many. So blur is measured at about the scale at which a network sees the image.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linne.pixels.decode import FORMATS
from linne.pixels.shrunk import Undecoded

MODES = ("other", "RGB", "L", "P", "1", "RGBA", "LA", "PA", "CMYK", "YCbCr", "LAB", "HSV", "I;16", "I;16B", "I", "F")
"""Modes in which files store pixels, as Pillow names them. A fact is a position in here: new ones go to the end."""

RECORD = np.dtype(
    [
        ("width", np.int32),
        ("height", np.int32),
        ("bytes", np.int64),
        ("format", np.uint8),
        ("mode", np.uint8),
        ("orientation", np.uint8),
        ("animated", np.bool_),
        ("brightness", np.float32),
        ("spread", np.float32),
        ("shadow", np.uint8),
        ("highlight", np.uint8),
        ("sharpness", np.float32),
        ("chroma", np.uint8),
        ("margin", np.float32),
        ("rim", np.float32),
    ]
)
"""How the facts of one image are stored: 43 bytes."""

UNIFORM = 8
"""Levels by which the pixels of a row may differ in the margin around a picture: what a JPEG makes of one colour."""

_GRAIN = 1.0
"""Mean squared difference between neighbours that noise accounts for, in levels: a blank image is not sharp."""

_BAND = 24_000
"""Pixels whose differences are taken at a time: they stay in the cache, and no pages are asked for."""

_EVERY = 3
"""Colour is looked for in every third row and column."""

_LEVELS = np.arange(256)


@dataclass(frozen=True)
class Facts:
    """Of n images, an array each; those of unreadable images are zero.

    Attributes
    ----------
    width, height : (n,) int32 array
        Of the upright picture, in pixels.
    bytes : (n,) int64 array
        Length of the file.
    format : (n,) uint8 array
        Position in `linne.pixels.decode.FORMATS`, by content.
    mode : (n,) uint8 array
        Position in `MODES`.
    orientation : (n,) uint8 array
        Of EXIF, 1 to 8; 1 is upright.
    animated : (n,) bool array
        Whether only the first of several frames or pages is seen.
    brightness, spread : (n,) float32 array
        Mean and standard deviation of luma, 0 to 255.
    shadow, highlight : (n,) uint8 array
        The 5th and the 95th percentile of luma.
    sharpness : (n,) float32 array
        See `sharpness`.
    chroma : (n,) uint8 array
        The largest difference between red, green and blue in any pixel: 0 for gray pictures in colour files, too.
    margin : (n,) float32 array
        Share of the picture that lies outside of the first and last row and column with any contrast.
    rim : (n,) float32 array
        Mean luma of the outermost pixels, 0 to 255.
    """

    width: NDArray[np.int32]
    height: NDArray[np.int32]
    bytes: NDArray[np.int64]
    format: NDArray[np.uint8]
    mode: NDArray[np.uint8]
    orientation: NDArray[np.uint8]
    animated: NDArray[np.bool_]
    brightness: NDArray[np.float32]
    spread: NDArray[np.float32]
    shadow: NDArray[np.uint8]
    highlight: NDArray[np.uint8]
    sharpness: NDArray[np.float32]
    chroma: NDArray[np.uint8]
    margin: NDArray[np.float32]
    rim: NDArray[np.float32]

    @classmethod
    def of(cls, records: NDArray[np.void]) -> Facts:
        """From ``(n,)`` records of dtype `RECORD`."""
        return cls(**{field.name: np.ascontiguousarray(records[field.name]) for field in fields(cls)})

    def __len__(self) -> int:
        return len(self.width)


def facts_of(image: Undecoded, size: int, small: NDArray[np.uint8], gray: Image.Image) -> NDArray[np.void]:
    """Tell the facts of one image: an array ``()`` of dtype `RECORD`.

    Parameters
    ----------
    image : Undecoded
    size : int
        Bytes of its file.
    small : (height, width, 3) uint8 array
        Its pixels, shrunk.
    gray : PIL.Image.Image
        Luma of `small`.
    """
    luma = np.asarray(gray)
    counts = np.array(gray.histogram(), np.float64) / luma.size
    below = counts.cumsum()
    mean = float(counts @ _LEVELS)
    variance = float(counts @ (_LEVELS - mean) ** 2)
    shadow, highlight = np.searchsorted(below, (0.05, 0.95)).clip(max=255).tolist()
    header = image.header
    return np.array(
        (
            image.width,
            image.height,
            size,
            FORMATS.index(header.format),
            MODES.index(header.mode) if header.mode in MODES else 0,
            header.orientation,
            header.animated,
            mean,
            variance**0.5,
            shadow,
            highlight,
            sharpness(luma),
            _chroma(small),
            _margin(luma),
            _rim(luma),
        ),
        RECORD,
    )


def sharpness(luma: NDArray[np.uint8]) -> float:
    """Root mean square of second differences over that of first differences, the lesser of both directions.

    White noise has 1.73, edges of one pixel about 1.4, ramps nothing: contrast and brightness do not matter. Known in
    the analysis of signals as mobility, a mean frequency (Hjorth, "EEG analysis based on time domain properties",
    1970). The lesser direction counts, so that a camera's movement along one side is seen. NaN below three pixels
    a side.

    Parameters
    ----------
    luma : (height, width) uint8 array
    """
    height, width = luma.shape
    if min(height, width) < 3:
        return float("nan")
    along, across, bend_along, bend_across = 0.0, 0.0, 0.0, 0.0
    rows = max(1, _BAND // width)
    for start in range(0, height, rows):
        band = luma[start : start + rows + 2].astype(np.float32)
        right, down = band[:rows, 1:] - band[:rows, :-1], band[1:] - band[:-1]
        along += _squares(right)
        across += _squares(down[:rows])
        bend_along += _squares(right[:, 1:] - right[:, :-1])
        bend_across += _squares(down[1:] - down[:-1])
    squares = (
        bend_along / (height * (width - 2)) / (along / (height * (width - 1)) + _GRAIN),
        bend_across / ((height - 2) * width) / (across / ((height - 1) * width) + _GRAIN),
    )
    return float(min(squares) ** 0.5)


def _squares(values: NDArray[np.float32]) -> float:
    flat = np.ascontiguousarray(values).ravel()
    return float(flat @ flat)


def _chroma(pixels: NDArray[np.uint8]) -> int:
    some = pixels[::_EVERY, ::_EVERY].astype(np.int16)
    red, green, blue = some[:, :, 0], some[:, :, 1], some[:, :, 2]
    return int(max(abs(red - green).max(), abs(green - blue).max(), abs(blue - red).max()))


def _margin(luma: NDArray[np.uint8]) -> float:
    """Share of the picture in rows and columns at its sides that have one colour each."""
    inside = 1.0
    for axis in (0, 1):
        shows = np.flatnonzero(luma.max(axis=axis) - luma.min(axis=axis) > UNIFORM)
        inside *= (shows[-1] - shows[0] + 1) / luma.shape[1 - axis] if len(shows) else 0
    return 1 - float(inside)


def _rim(luma: NDArray[np.uint8]) -> float:
    return float(np.concatenate([luma[0], luma[-1], luma[:, 0], luma[:, -1]]).mean())
