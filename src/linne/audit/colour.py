"""Which images are gray among coloured ones, or coloured among gray ones?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.widespread import FAULTS, tell
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "odd colour"

GRAY = 8
"""Levels between red, green and blue, in any pixel that is looked at, up to which a picture is gray."""

FEW = 0.1
"""Share of the images below which the fewer kind is odd; a set that has more of both is a mixed one."""


def odd_colour(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell the few gray images of a coloured set, or the few coloured ones of a gray set."""
    gray = facts.chroma <= GRAY
    images = int(readable.sum())
    share = float(gray[readable].mean()) if images else 0.0
    few_gray = share <= 0.5
    few = min(share, 1 - share)
    if not 0 < few < FEW:
        return []
    rows = np.flatnonzero(readable & (gray == few_gray))
    what = "gray, among pictures in colour" if few_gray else "in colour, among gray pictures"
    score = np.full(len(rows), 0.5 * (1 - few / FEW))
    remedy = "none where such pictures come in use, too; else remove it"
    return tell(CHECK, index, rows, score, lambda _: what, remedy, f"are {what}", images, FAULTS)
