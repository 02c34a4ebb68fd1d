"""Which images are stored on their side, and upright only for programs that read EXIF?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.widespread import NOTES, tell
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "rotated by EXIF"

SURE = 0.3
"""It is no fault: every phone stores photos so."""

TURNS = {
    2: "mirrored",
    3: "upside down",
    4: "upside down and mirrored",
    5: "on its side and mirrored",
    6: "on its side",
}
TURNS |= {7: TURNS[5], 8: TURNS[6]}


def rotated(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell images whose EXIF turns them; where these are more than one in twenty, how many they are."""
    rows = np.flatnonzero(readable & (facts.orientation > 1))

    def reason(i: int) -> str:
        return f"stored {TURNS[int(facts.orientation[rows[i]])]}; EXIF says how to turn it"

    remedy = "none for linne, which turns it; a program that ignores EXIF would learn it as it is stored"
    score = np.full(len(rows), SURE)
    return tell(CHECK, index, rows, score, reason, remedy, "are turned by EXIF", int(readable.sum()), NOTES)
