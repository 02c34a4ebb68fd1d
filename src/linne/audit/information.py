"""Which images show next to nothing: a plain colour, fog, a covered lens?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.widespread import FAULTS, tell
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "low information"

LEAST_SPREAD = 5.0
"""Standard deviation of luma, in levels of 255, below which an image shows next to nothing."""


def shows_nothing(facts: Facts) -> NDArray[np.bool_]:
    """``(n,)``: images of one colour, or nearly."""
    return np.asarray(facts.spread < LEAST_SPREAD)


def low_information(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell images of next to one colour."""
    rows = np.flatnonzero(readable & shows_nothing(facts))

    def reason(i: int) -> str:
        return f"next to one colour: luma spreads by {facts.spread[rows[i]]:.1f} levels of 255"

    score = 1 - facts.spread[rows] / (2 * LEAST_SPREAD)
    remedy = "remove it"
    return tell(CHECK, index, rows, score, reason, remedy, "show next to one colour", int(readable.sum()), FAULTS)
