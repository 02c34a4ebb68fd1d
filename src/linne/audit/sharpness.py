"""Which images are blurred?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.information import shows_nothing
from linne.audit.widespread import FAULTS, tell
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "blurred"

BLURRED = 0.9
"""Sharpness (`linne.pixels.facts.sharpness`) below which an image is blurred."""


def blurred(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell blurred images; those that show nothing at all are told of elsewhere."""
    rows = np.flatnonzero(readable & (facts.sharpness < BLURRED) & ~shows_nothing(facts))

    def reason(i: int) -> str:
        return f"blurred, or enlarged: sharpness {facts.sharpness[rows[i]]:.2f}, where sharp photos have 1.1 and more"

    remedy = "replace it, unless pictures in use are as blurred"
    score = 1 - facts.sharpness[rows] / (2 * BLURRED)
    return tell(CHECK, index, rows, score, reason, remedy, "are blurred, or enlarged", int(readable.sum()), FAULTS)
