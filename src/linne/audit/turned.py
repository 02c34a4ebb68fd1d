"""Codes of pictures as they are, mirrored, and turned by quarters: all from the thumbnail, without a second decode."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from linne.pixels.perceptual import THUMB_SIDE

TURNS = (
    "as it is",
    "mirrored",
    "turned left",
    "turned left and mirrored",
    "upside down",
    "flipped upside down",
    "turned right",
    "turned right and mirrored",
)
"""The eight ways to lay a square; number 2k + m is turned left k times, then mirrored where m is 1."""

TURNED_LEFT, TURNED_RIGHT = 2, 6
TOLD_ONCE = (1, TURNED_LEFT, 3, 4, 5, 7)
"""All but the first, and but `TURNED_RIGHT`, whose pairs `TURNED_LEFT` finds from the other end."""

Number = TypeVar("Number", bound=np.generic)

_KEPT = 8
_COSINES = np.cos(np.pi / THUMB_SIDE * np.outer(np.arange(_KEPT), np.arange(THUMB_SIDE) + 0.5)).astype(np.float32)
_BLOCK = 1 << 14


def turned(thumbs: NDArray[Number], way: int) -> NDArray[Number]:
    """Lay thumbnails ``(n, side, side)`` in one of the ways of `TURNS`; a view."""
    laid = np.rot90(thumbs, way // 2, axes=(1, 2))
    return laid[:, :, ::-1] if way % 2 else laid


def codes(thumbs: NDArray[np.uint8], way: int = 0) -> NDArray[np.uint64]:
    """Perceptual hashes ``(n,)`` of thumbnails laid in one way.

    They are signs of the 8 x 8 lowest DCT frequencies against their median, as in `linne.pixels.perceptual`, but of 16
    x 16 pixels: to be compared with each other only.
    """
    out = np.empty(len(thumbs), np.uint64)
    for start in range(0, len(thumbs), _BLOCK):
        laid = turned(thumbs[start : start + _BLOCK], way).astype(np.float32)
        low = (_COSINES @ laid @ _COSINES.T).reshape(len(laid), _KEPT**2)
        bits = low > np.median(low[:, 1:], axis=1, keepdims=True)
        out[start : start + len(laid)] = np.packbits(bits, axis=1).view(">u8").reshape(-1)
    return out
