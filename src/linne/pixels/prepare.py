"""The `PixelSpec` applied: bytes to the very numbers that a network sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linne.pixels.decode import decode
from linne.pixels.geometry import fit_to
from linne.records.pixel_spec import PixelSpec


def pixels_of(picture: Image.Image, spec: PixelSpec) -> NDArray[np.uint8]:
    """Fit a decoded picture to the spec: ``(channels, height, width)`` uint8."""
    pixels = np.asarray(fit_to(picture, spec))
    return pixels[None] if spec.channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def normalise(
    pixels: NDArray[np.uint8], spec: PixelSpec, out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Intensities to a network's input: ``(..., channels, height, width)`` uint8 to float32 of that shape.

    Parameters
    ----------
    pixels : uint8 array
    spec : PixelSpec
    out : float32 array of the same shape, optional
        Takes the result.
    """
    std = np.array(spec.std, np.float32)
    scale = (1 / (255 * std)).astype(np.float32)[:, None, None]
    shift = (np.array(spec.mean, np.float32) / std)[:, None, None]
    out = np.multiply(pixels, scale, out=out)
    out -= shift
    return out


def prepare(content: bytes, spec: PixelSpec, name: str = "image") -> NDArray[np.float32]:
    """Decode, fit and normalise a file: ``(channels, height, width)`` float32.

    Raises
    ------
    ImageError
        The bytes are no image, or a damaged or too large one.
    """
    return normalise(pixels_of(decode(content, spec.channels, name), spec), spec)
