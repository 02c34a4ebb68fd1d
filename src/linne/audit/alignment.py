"""How alike are two thumbnails, also where one shows a part of what the other shows?"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from linne.audit.turned import turned
from linne.pixels.perceptual import THUMB_SIDE

CROPS = (0.02, 0.04, 0.06, 0.08, 0.10, 0.12)
"""Shares of the sides that may have been cut off: around the centre, or more on one side than on the other."""

_SAMPLES = 4
"""Points in each pixel of a part; between pixels of the whole is interpolated."""

_BLOCK = 1 << 12

Array = NDArray[np.float32]
Places = NDArray[np.int64]


class Likeness:
    """Correlation of thumbnails, pair by pair.

    Parameters
    ----------
    thumbs : (n, side, side) uint8 array
    """

    def __init__(self, thumbs: NDArray[np.uint8]) -> None:
        self._thumbs = thumbs
        self._mean, self.deviation = np.empty(len(thumbs), np.float32), np.empty(len(thumbs), np.float32)
        for start in range(0, len(thumbs), _BLOCK):
            block = thumbs[start : start + _BLOCK].reshape(-1, THUMB_SIDE**2).astype(np.float32)
            self._mean[start : start + _BLOCK] = block.mean(axis=1)
            self.deviation[start : start + _BLOCK] = block.std(axis=1)

    def __call__(self, first: Places, second: Places, way: int = 0) -> Array:
        """Correlation ``(m,)`` of `first` with `second`, laid in one way of `linne.audit.turned.TURNS`."""
        out = np.empty(len(first), np.float32)
        for start in range(0, len(first), _BLOCK):
            one, two = first[start : start + _BLOCK], second[start : start + _BLOCK]
            apart = (self._thumbs[one] - self._mean[one, None, None]).reshape(len(one), THUMB_SIDE**2)
            laid = turned(self._thumbs[two] - self._mean[two, None, None], way).reshape(len(one), THUMB_SIDE**2)
            out[start : start + _BLOCK] = np.einsum("ij,ij->i", apart, laid)
        spread = THUMB_SIDE**2 * self.deviation[first] * self.deviation[second]
        return np.asarray(np.minimum(out / np.maximum(spread, 1e-6), 1))


def aligned_likeness(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> Array:
    """Correlation of thumbnails, of the best of all ways to lay each over a part of the other.

    Parameters
    ----------
    one, two : (n, side, side) uint8 arrays

    Returns
    -------
    (n,) float32 array
    """
    pairs = np.arange(len(one))
    out = Likeness(np.concatenate([one, two]))(pairs, pairs + len(one))
    for start in range(0, len(one), _BLOCK):
        block = slice(start, start + _BLOCK)
        for whole, part in ((one[block], two[block]), (two[block], one[block])):
            pixels, target = _flat(whole), _standardised(_flat(part))
            for crop in _crops():
                found = np.einsum("ij,ij->i", _standardised(pixels @ crop.T), target, dtype=np.float32)
                np.maximum(out[block], found, out=out[block])
    return out


def _flat(thumbs: NDArray[np.uint8]) -> Array:
    return thumbs.reshape(len(thumbs), THUMB_SIDE**2).astype(np.float32)


def _standardised(flat: Array) -> Array:
    """Rows with mean 0 and length 1: their inner products are correlations."""
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6))


@cache
def _crops() -> tuple[Array, ...]:
    """Matrices that take the pixels of a whole to those of its parts."""
    crops = []
    for cut in CROPS:
        parts = [_part(start, 1 - cut) for start in (0, cut / 2, cut)]
        crops += [np.kron(rows, columns).astype(np.float32) for rows in parts for columns in parts]
    return tuple(crops)


def _part(start: float, length: float) -> NDArray[np.float64]:
    """Take a side's pixels to those of a part of it, in shares of the side."""
    points = (start + length * (np.arange(THUMB_SIDE * _SAMPLES) + 0.5) / (THUMB_SIDE * _SAMPLES)) * THUMB_SIDE - 0.5
    below = np.floor(points).astype(int)
    matrix = np.zeros((THUMB_SIDE, THUMB_SIDE))
    pixel = np.arange(len(points)) // _SAMPLES
    for neighbour, weight in ((below, 1 - (points - below)), (below + 1, points - below)):
        np.add.at(matrix, (pixel, np.clip(neighbour, 0, THUMB_SIDE - 1)), weight / _SAMPLES)
    return matrix
