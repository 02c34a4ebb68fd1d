"""Which pictures are the same to the eye: recompressed, resized, brightened, mirrored, turned, cropped, written on?

Hashes within `MAX_DISTANCE` bits and thumbnails that agree find what was done to all of a picture, mirrored and turned
ones too; embeddings find what was done to a part of it (`linne.audit.edited_copies`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.alignment import Likeness
from linne.audit.compared import Known
from linne.audit.edited_copies import keep_edited
from linne.audit.hamming import pairs_between, pairs_within
from linne.audit.neighbours import Directions
from linne.audit.pairs import Forest, Pairs
from linne.audit.pictures import Pictures
from linne.audit.turned import TOLD_ONCE, TURNED_LEFT, TURNED_RIGHT, codes
from linne.records.progress import Progress

MAX_DISTANCE = 10
"""Bits of 64 by which the perceptual hashes of near copies may differ."""

MAX_DISTANCE_TURNED = 8
"""The same for mirrored and turned ones; half as many lookups."""

MIN_LIKENESS = 0.985
"""Correlation of the 16 x 16 gray thumbnails that a near copy must reach: hashes alone take two shirts on a white
table for one. Set on planted copies among photos of clothes and among scanned digits (docs/rooms/audit.md)."""

MIN_LIKENESS_TURNED = 0.99
"""The same for mirrored and turned ones: of seven more ways to lay a picture one may fit by chance."""

FLAT = 1.0
"""Standard deviation, in gray levels, below which a thumbnail shows nothing that could be compared."""

_AT_ONCE = 1 << 16
"""Pairs whose thumbnails are compared, so that many pictures of one hash take little memory."""

Places = NDArray[np.int64]


def find_near(pictures: Pictures, rows: NDArray[np.int64], known: Known, threads: int, progress: Progress) -> Pairs:
    """Find near copies among `rows`, and give the likeliest pairs that join each group.

    Parameters
    ----------
    pictures : Pictures
    rows : (m,) int64 array
        Ascending.
    known : Known
        What was compared before; pairs are looked for that have at least one row which was not.
    threads : int
    progress : Progress
    """
    rows = rows[Likeness(pictures.thumb[rows]).deviation >= FLAT]
    forest = Forest(len(rows))
    known.among(rows, forest)
    new = np.flatnonzero(~known.compared[rows])
    if len(new):
        _search_hashes(forest, pictures.hash[rows], pictures.thumb[rows], new, threads, progress)
        if pictures.features is not None:
            keep_edited(forest, pictures, Directions(pictures.features, rows), new, progress)
    pairs = forest.pairs()
    return Pairs(rows[pairs.first], rows[pairs.second], pairs.score, pairs.kind)


def _search_hashes(
    forest: Forest,
    hashes: NDArray[np.uint64],
    thumbs: NDArray[np.uint8],
    new: Places,
    threads: int,
    progress: Progress,
) -> None:
    """Keep what is alike as it is, mirrored or turned."""
    likeness, everything = Likeness(thumbs), len(new) == len(hashes)
    progress.start("compare", 1 + len(TOLD_ONCE), "ways to lay a picture")
    try:
        if everything:
            for first, second in pairs_within(hashes, MAX_DISTANCE, threads):
                _keep_alike(forest, likeness, first, second, 0)
        else:
            for place, second in pairs_between(hashes[new], hashes, MAX_DISTANCE, threads):
                first = new[place]
                apart = first != second
                low, high = np.minimum(first, second)[apart], np.maximum(first, second)[apart]
                _keep_alike(forest, likeness, low, high, 0)
        upright = codes(thumbs)
        for done, way in enumerate(TOLD_ONCE, 1):
            progress.update(done)
            laid = codes(thumbs, way)
            for place, second in pairs_between(upright[new], laid, MAX_DISTANCE_TURNED, threads):
                _keep_turned(forest, likeness, new[place], second, way)
            if not everything:
                for first, place in pairs_between(upright, laid[new], MAX_DISTANCE_TURNED, threads):
                    _keep_turned(forest, likeness, first, new[place], way)
        progress.update(1 + len(TOLD_ONCE))
    finally:
        progress.finish()


def _keep_turned(forest: Forest, likeness: Likeness, first: Places, second: Places, way: int) -> None:
    ahead, behind = first < second, first > second
    _keep_alike(forest, likeness, first[ahead], second[ahead], way)
    if way == TURNED_LEFT:  # the others are their own inverse, so that each pair comes again, ahead
        _keep_alike(forest, likeness, second[behind], first[behind], TURNED_RIGHT)


def _keep_alike(forest: Forest, likeness: Likeness, first: Places, second: Places, way: int) -> None:
    """Keep the pairs whose thumbnails agree when the second is laid in some way."""
    least = MIN_LIKENESS_TURNED if way else MIN_LIKENESS
    for start in range(0, len(first), _AT_ONCE):
        one, two = first[start : start + _AT_ONCE], second[start : start + _AT_ONCE]
        alike = likeness(one, two, way)
        kept = alike >= least
        forest.add(one[kept], two[kept], alike[kept], way)
