"""How alike are two thumbnails, also where one shows a part of what the other shows?"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from linne.audit.turned import turned
from linne.pixels.perceptual import DETAIL_SIDE, THUMB_SIDE

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


def align(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> tuple[Array, Array]:
    """Lay each of two thumbnails over parts of the other, and give the best correlation.

    Parameters
    ----------
    one, two : (n, 16, 16) uint8 arrays

    Returns
    -------
    correlation : (n,) float32 array
    placement : (n, 4) float32 array
        Which is the whole, 0 or 1; the share that is cut off each side; how much of it above, and on the left.
    """
    pairs = np.arange(len(one))
    best = Likeness(np.concatenate([one, two]))(pairs, pairs + len(one))
    placement = np.zeros((len(one), 4), np.float32)
    for start in range(0, len(one), _BLOCK):
        block = slice(start, start + _BLOCK)
        for which, (whole, part) in enumerate(((one[block], two[block]), (two[block], one[block]))):
            pixels, target = _flat(whole), _standardised(_flat(part))
            for cut, above, left, matrix in _crops():
                found = np.einsum("ij,ij->i", _standardised(pixels @ matrix.T), target, dtype=np.float32)
                better = start + np.flatnonzero(found > best[block])
                best[better] = found[better - start]
                placement[better] = (which, cut, above, left)
    return best, placement


def structure_likeness(one: NDArray[np.uint8], two: NDArray[np.uint8], placement: Array) -> Array:
    """Correlation ``(n,)`` of fine structure, after one is laid over the other about as `align` says.

    Parameters
    ----------
    one, two : (n, 32, 32) uint8 arrays
    placement : (n, 4) float32 array
        It is improved on.
    """
    swap = placement[:, 0] == 1
    whole = np.where(swap[:, None, None], two, one).astype(np.float32)
    target = _standardised(_structure(np.where(swap[:, None, None], one, two)))
    best = np.full(len(one), -1, np.float32)
    for less in (-0.01, 0.0, 0.01):
        cut = np.maximum(placement[:, 1] + less, 0)
        sides = [
            [_parts(cut * np.clip(at + more, 0, 1), 1 - cut, DETAIL_SIDE) for more in (-0.25, 0.0, 0.25)]
            for at in (placement[:, 2], placement[:, 3])
        ]
        for rows in sides[0]:
            cropped = rows @ whole
            for columns in sides[1]:
                laid = _standardised(_structure(cropped @ columns.transpose(0, 2, 1)))
                np.maximum(best, np.einsum("ij,ij->i", laid, target, dtype=np.float32), out=best)
    return best


def _structure(pictures: NDArray[np.floating] | NDArray[np.uint8]) -> Array:
    """What stands out from the nine pixels around, ``(n, side * side)``."""
    side = pictures.shape[1]
    padded = np.pad(pictures.astype(np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = sum(padded[:, i : i + side, j : j + side] for i in range(3) for j in range(3))
    return np.asarray((padded[:, 1:-1, 1:-1] - around / 9).reshape(len(pictures), side**2), np.float32)


def _flat(thumbs: NDArray[np.uint8]) -> Array:
    return thumbs.reshape(len(thumbs), THUMB_SIDE**2).astype(np.float32)


def _standardised(flat: Array) -> Array:
    """Rows with mean 0 and length 1: their inner products are correlations."""
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6))


@cache
def _crops() -> tuple[tuple[float, float, float, Array], ...]:
    """Each cut, how much of it above and on the left, and the matrix from pixels of a whole to those of the part."""
    crops = []
    for cut in CROPS:
        sides = {at: _parts(np.array([at * cut]), np.array([1 - cut]), THUMB_SIDE)[0] for at in (0, 0.5, 1)}
        crops += [
            (cut, above, left, np.kron(rows, columns).astype(np.float32))
            for above, rows in sides.items()
            for left, columns in sides.items()
        ]
    return tuple(crops)


def _parts(start: NDArray[np.floating], length: NDArray[np.floating], side: int) -> Array:
    """Matrices ``(n, side, side)`` that take a side's pixels to those of a part of it, in shares of the side."""
    samples = (np.arange(side * _SAMPLES) + 0.5) / (side * _SAMPLES)
    points = (start[:, None] + length[:, None] * samples) * side - 0.5
    below = np.floor(points).astype(np.int64)
    matrix = np.zeros((len(start), side, side), np.float32)
    which, pixel = np.arange(len(start))[:, None], np.arange(len(samples)) // _SAMPLES
    for neighbour, weight in ((below, 1 - (points - below)), (below + 1, points - below)):
        np.add.at(matrix, (which, pixel, np.clip(neighbour, 0, side - 1)), weight / _SAMPLES)
    return matrix
