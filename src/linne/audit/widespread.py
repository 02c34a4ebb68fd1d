"""Is a fault one of single images, or of the whole set?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from linne.records.findings import Finding
from linne.records.index import Index

FAULTS = 0.5
"""Share of the images from which on a fault is told once, of the set: nobody looks through a list of most images."""

FEW = 10
"""So many images are always told of one by one."""

NOTES = 0.05
"""The same for what is worth knowing, but no fault."""


def tell(
    check: str,
    index: Index,
    rows: NDArray[np.int64],
    score: NDArray[np.floating],
    reason: Callable[[int], str],
    remedy: str,
    of_all: str,
    images: int,
    widespread: float,
) -> list[Finding]:
    """Tell each image, or where these are more than ten, and than a share of all, the set as a whole.

    Parameters
    ----------
    check : str
    index : Index
    rows : (m,) int64 array
        The images that are meant.
    score : (m,) array
        How sure, in [0, 1].
    reason : callable
        From a position in `rows` to a sentence.
    remedy : str
    of_all : str
        What the images are, as in "12 of 15 images are ...".
    images : int
        How many were looked at.
    widespread : float
        `FAULTS` or `NOTES`.
    """
    if len(rows) > max(FEW, widespread * images):
        what = f"{len(rows)} of {images} images {of_all}"
        return [Finding(check, "", float(np.mean(score)), what, remedy=remedy, images=len(rows))]
    return [
        Finding(check, index.path(row), float(score[i]), reason(i), label=index.label_of(row), remedy=remedy)
        for i, row in enumerate(rows.tolist())
    ]
