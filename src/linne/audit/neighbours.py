"""Which embeddings lie next to each other?

All pairs below a distance, by blocked products of a projection: it makes distances only smaller, so that no pair is
lost, and what is near in it is compared whole. Many images are dealt to overlapping cells first, as in an inverted
file (Jegou, Douze, Schmid: "Product Quantization for Nearest Neighbor Search", IEEE TPAMI 2011, section IV): each to
the cells of its three nearest landmarks, and only those of one cell are compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from linne.records.progress import Progress

DIMENSIONS = 64
CELL = 8192
"""Images a cell, on average; up to `ALONE` images there is one cell, and nothing can be missed."""

ALONE = 2 * CELL
CELLS_EACH = 3
NEAREST = 3
SAMPLE = 1000
"""Images whose nearest neighbours say how far apart, and how alike, different images are."""

_BLOCK = 2048
_CELLS = 1 << 24
"""Distances at a time."""

Array = NDArray[np.float32]
Places = NDArray[np.int64]


class Directions:
    """Embeddings as directions from their mean, computed block by block: what is given may be gigabytes.

    Parameters
    ----------
    features : (n, d) float32 array
    rows : (m,) int64 array
        Those that count.
    """

    def __init__(self, features: Array, rows: Places) -> None:
        self._features, self.rows = features, rows
        sums = np.zeros(features.shape[1])
        for start in range(0, len(rows), _BLOCK):
            sums += features[rows[start : start + _BLOCK]].sum(axis=0, dtype=np.float64)
        self._mean = (sums / max(len(rows), 1)).astype(np.float32)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: Places | slice) -> Array:
        """Unit vectors ``(k, d)``; zeros for an image that lies in the mean."""
        out = self._features[self.rows[places]] - self._mean
        return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9))

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """All of them."""
        for start in range(0, len(self), _BLOCK):
            yield slice(start, start + _BLOCK), self[slice(start, start + _BLOCK)]


def nearest_of_some(directions: Directions, rng: np.random.Generator) -> tuple[Places, Places, Array]:
    """Places of up to `SAMPLE` images, of the nearest neighbour of each, and the cosines of the two."""
    places = np.sort(rng.permutation(len(directions))[:SAMPLE])
    sample = directions[places]
    nearest, cosine = np.zeros(len(places), np.int64), np.full(len(places), -np.inf, np.float32)
    for block, vectors in directions.blocks():
        cosines = sample @ vectors.T
        inside = np.flatnonzero((places >= block.start) & (places < block.stop))
        cosines[inside, places[inside] - block.start] = -np.inf
        best = cosines.argmax(axis=1)
        found = cosines[np.arange(len(places)), best]
        better = found > cosine
        nearest[better], cosine[better] = best[better] + block.start, found[better]
    return places, nearest, cosine


def close_pairs(
    directions: Directions,
    distance: float,
    nearest_distance: float,
    new: Places,
    rng: np.random.Generator,
    progress: Progress,
) -> Iterator[tuple[Places, Places, Array]]:
    """Find pairs whose cosine is at least one minus `distance`, and nearest neighbours that are somewhat farther apart.

    Parameters
    ----------
    directions : Directions
    distance : float
    nearest_distance : float
        Up to this distance an image is given with its `NEAREST` nearest.
    new : (k,) int64 array
        Places of which one at least belongs to each pair.
    rng : Generator
    progress : Progress

    Yields
    ------
    first, second : (m,) int64 arrays
        Places in `directions`, ``first < second``; a pair may come more than once.
    cosine : (m,) float32 array
    """
    if len(directions) < 2:
        return
    projected = _project(directions, rng)
    squares = np.einsum("ij,ij->i", projected, projected)
    is_new = np.zeros(len(directions), bool)
    is_new[new] = True
    progress.start("neighbours", len(directions), "images")
    done = 0.0
    try:
        cells = _cells(projected, rng)
        whole = max(sum(int(is_new[cell].sum()) for cell in cells), 1)
        for cell in cells:
            asking = np.flatnonzero(is_new[cell])
            step = max(1, _CELLS // len(cell))
            for start in range(0, len(asking), step):
                some = asking[start : start + step]
                apart = projected[cell[some]] @ projected[cell].T
                apart *= -2
                apart += squares[cell]
                apart += squares[cell[some], None]
                apart[np.arange(len(some)), some] = np.inf
                one, two = _candidates(apart, 2 * distance, 2 * nearest_distance)
                yield from _measured(directions, cell[some[one]], cell[two], max(distance, nearest_distance))
                done += len(some) * len(directions) / whole
                progress.update(int(done))
    finally:
        progress.finish()


def _candidates(apart: Array, square: float, nearest_square: float) -> tuple[Places, Places]:
    """Rows and columns of squared distances below the first bound, and of each row's nearest below the second."""
    close = np.flatnonzero(apart <= square + 1e-5)  # much faster than in two dimensions
    found = [(close // apart.shape[1], close % apart.shape[1])]
    rows = np.arange(len(apart))
    for _ in range(min(NEAREST, apart.shape[1])):
        nearest = apart.argmin(axis=1)
        near = apart[rows, nearest] <= nearest_square + 1e-5
        found.append((rows[near], nearest[near]))
        apart[rows, nearest] = np.inf
    return np.concatenate([one for one, _ in found]), np.concatenate([two for _, two in found])


def _measured(
    directions: Directions, asked: Places, met: Places, distance: float
) -> Iterator[tuple[Places, Places, Array]]:
    """Candidates, each once, with their cosines, where these are high enough."""
    both = np.unique(np.stack([np.minimum(asked, met), np.maximum(asked, met)]), axis=1)
    for at in range(0, both.shape[1], _BLOCK):
        first, second = both[:, at : at + _BLOCK]
        cosine = np.einsum("ij,ij->i", directions[first], directions[second], dtype=np.float32)
        near = cosine >= 1 - distance
        yield first[near], second[near], cosine[near]


def _project(directions: Directions, rng: np.random.Generator) -> Array:
    """Components ``(n, 64)`` along which a sample varies most."""
    sample = directions[np.sort(rng.permutation(len(directions))[: 4 * SAMPLE])]
    dimensions = min(DIMENSIONS, *sample.shape)
    _, _, axes = randomized_svd(sample, dimensions, n_iter=2, random_state=int(rng.integers(2**31)))
    out = np.empty((len(directions), dimensions), np.float32)
    for block, vectors in directions.blocks():
        out[block] = vectors @ axes.T
    return out


def _cells(projected: Array, rng: np.random.Generator) -> list[Places]:
    """Places of each cell, ascending."""
    number = len(projected)
    if number <= ALONE:
        return [np.arange(number)]
    landmarks = projected[rng.permutation(number)[: -(-number // CELL) * CELLS_EACH]]
    nearest = np.empty((number, CELLS_EACH), np.int32)
    lengths = np.einsum("ij,ij->i", landmarks, landmarks)
    for start in range(0, number, _BLOCK):
        apart = lengths - 2 * projected[start : start + _BLOCK] @ landmarks.T
        nearest[start : start + _BLOCK] = np.argpartition(apart, CELLS_EACH - 1, axis=1)[:, :CELLS_EACH]
    order = np.argsort(nearest.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(nearest.reshape(-1), minlength=len(landmarks)))
    return [np.sort(cell) // CELLS_EACH for cell in np.split(order, ends[:-1]) if len(cell) > 1]
