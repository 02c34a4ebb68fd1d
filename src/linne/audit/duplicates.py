"""Which images are there twice, byte for byte or to the eye?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from linne.pixels.perceptual import THUMB_SIDE
from linne.records.findings import Finding
from linne.records.index import Index
from linne.records.progress import Progress

EXACT = "exact duplicate"
NEAR = "near duplicate"

MAX_DISTANCE = 10
"""Bits of 64 by which the perceptual hashes of near copies may differ."""

MIN_LIKENESS = 0.985
"""Correlation of the 16 x 16 gray thumbnails that a near copy must reach: hashes alone take two shirts on a white
table for one. Set on planted copies among photos of clothes and among scanned digits (docs/rooms/audit.md)."""

FLAT = 1.0
"""Standard deviation, in gray levels, below which a thumbnail shows nothing that could be compared."""

_CELLS = 1 << 22
"""Hashes compared at a time, and as many bytes of thumbnails: memory stays flat, however many images are alike."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows, the earlier row first.

    Attributes
    ----------
    first, second : (m,) int64 array
    score : (m,) float32 array
        1 for exact copies, else the correlation of the thumbnails.
    exact : (m,) bool array
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: NDArray[np.float32]
    exact: NDArray[np.bool_]


def find_pairs(
    digest: NDArray[np.uint8],
    hashes: NDArray[np.uint64],
    thumbs: NDArray[np.uint8],
    readable: NDArray[np.bool_],
    progress: Progress,
) -> Pairs:
    """Find copies among the readable images.

    Parameters
    ----------
    digest : (n, 16) uint8 array
        Of the files' bytes.
    hashes : (n,) uint64 array
        Perceptual hashes.
    thumbs : (n, 16, 16) uint8 array
    readable : (n,) bool array
    progress : Progress

    Returns
    -------
    Pairs
        Every file is paired with the first of its exact copies. Near copies are looked for among the firsts, and
        given as the likeliest pairs that join each group.
    """
    rows = np.flatnonzero(readable)
    _, first, which = np.unique(
        digest[rows].view("S16").reshape(-1) if len(rows) else np.empty(0, "S16"),
        return_index=True,
        return_inverse=True,
    )
    original = rows[first[which]] if len(rows) else rows
    copies = rows != original
    near_first, near_second, likeness = _near(hashes, thumbs, np.sort(rows[first]), progress)
    return Pairs(
        np.concatenate([original[copies], near_first]),
        np.concatenate([rows[copies], near_second]),
        np.concatenate([np.ones(copies.sum(), np.float32), likeness]),
        np.concatenate([np.ones(copies.sum(), bool), np.zeros(len(near_first), bool)]),
    )


def _near(
    hashes: NDArray[np.uint64], thumbs: NDArray[np.uint8], rows: NDArray[np.int64], progress: Progress
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Pairs of `rows` with close hashes and alike thumbnails."""
    flat = thumbs[rows].reshape(len(rows), THUMB_SIDE**2).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    shows = flat.std(axis=1) >= FLAT
    rows, flat = rows[shows], flat[shows]
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    code = hashes[rows]
    first, second, score = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    progress.start("compare", len(code), "images")
    try:
        for done, i, j in _close(code):
            likeness = np.einsum("ij,ij->i", unit[i], unit[j])
            alike = likeness >= MIN_LIKENESS
            if alike.any():
                first, second = np.concatenate([first, i[alike]]), np.concatenate([second, j[alike]])
                score = np.concatenate([score, np.minimum(likeness[alike], 1)])
                first, second, score = _likeliest(first, second, score, len(rows))
            progress.update(done)
    finally:
        progress.finish()
    return rows[first], rows[second], score


def _likeliest(
    first: NDArray[np.int64], second: NDArray[np.int64], likeness: NDArray[np.float32], rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """The likeliest pairs that join the same groups: a thousand frames of a still scene are 999 pairs, not 499,500."""
    graph = coo_array((2 - likeness.astype(np.float64), (first, second)), shape=(rows, rows))
    forest = minimum_spanning_tree(graph.tocsr()).tocoo()
    one, two = forest.coords
    order = np.lexsort((two, one))
    return one[order].astype(np.int64), two[order].astype(np.int64), (2 - forest.data[order]).astype(np.float32)


def _close(code: NDArray[np.uint64]) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """How many hashes are compared, and positions ``i < j`` of some that differ in few bits; these may be none."""
    step = max(1, _CELLS // max(len(code), 1))
    some = _CELLS // (4 * THUMB_SIDE**2)
    for start in range(0, len(code), step):
        block = code[start : start + step, None] ^ code[None, start:]
        i, j = np.nonzero(np.triu(np.bitwise_count(block) <= MAX_DISTANCE, 1))
        for at in range(0, max(len(i), 1), some):
            yield start + len(block), i[at : at + some] + start, j[at : at + some] + start


def duplicate_groups(pairs: Pairs, rows: int) -> NDArray[np.int64]:
    """Number the groups that pairs join: ``(rows,)``; a row without a copy is a group of its own."""
    graph = coo_array((np.ones(len(pairs.first), bool), (pairs.first, pairs.second)), shape=(rows, rows))
    _, group = connected_components(graph, directed=False)
    return np.asarray(group, np.int64)


def duplicates(index: Index, pairs: Pairs) -> list[Finding]:
    """Tell each pair, and whether its images carry different labels."""
    findings = []
    for first, second, score, exact in zip(pairs.first, pairs.second, pairs.score, pairs.exact, strict=True):
        labels = [index.label_of(row) for row in (first, second)]
        what = "the same bytes" if exact else f"the same picture (likeness {score:.3f})"
        if labels[0] == labels[1]:
            reason, remedy = what, "keep one"
        else:
            reason, remedy = f"{what} under two labels, {labels[0]} and {labels[1]}", "decide on one label"
        check = EXACT if exact else NEAR
        findings.append(
            Finding(check, index.path(second), float(score), reason, index.path(first), label=labels[1], remedy=remedy)
        )
    return findings
