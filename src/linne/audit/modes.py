"""Which files store their pixels in a way that programs disagree about?"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from linne.audit.widespread import NOTES, tell
from linne.pixels.facts import MODES, Facts
from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "odd mode"

DEEP = ("16 bits and more", 0.8, "values are scaled to 8 bits; save them as 8 bits to decide yourself how")
PRINT = ("CMYK", 0.7, "colours are those of print, converted to RGB; convert it to RGB")
OTHER = ("an uncommon colour space", 0.7, "convert it to RGB")
ANIMATED = ("several frames or pages", 0.6, "only the first is seen; save the others as files of their own")
CLEAR = ("an alpha channel", 0.4, "what is transparent is laid over white; others drop it, and show what lies beneath")
PALETTE = ("a palette", 0.3, "none for linne; a program that reads indices instead of colours would see noise")

KINDS = {
    **dict.fromkeys(("I;16", "I;16B", "I", "F"), DEEP),
    "CMYK": PRINT,
    **dict.fromkeys(("YCbCr", "LAB", "HSV", "other"), OTHER),
    **dict.fromkeys(("RGBA", "LA", "PA"), CLEAR),
    "P": PALETTE,
}
"""Modes that are told of: what they are, how much harm they do, what to do. RGB, gray and one bit all read alike."""


_ALL = (DEEP, PRINT, OTHER, ANIMATED, CLEAR, PALETTE)


def odd_modes(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell images of troublesome modes, kind by kind; a kind that more than one in twenty has is told of once."""
    kind = np.array([_ALL.index(KINDS[mode]) if mode in KINDS else -1 for mode in MODES])[facts.mode]
    kind[facts.animated] = _ALL.index(ANIMATED)
    images = int(readable.sum())
    findings = []
    for position, (what, score, remedy) in enumerate(_ALL):
        rows = np.flatnonzero(readable & (kind == position))
        said = f"stored with {what}"
        reason = partial(_same, said)
        findings += tell(CHECK, index, rows, np.full(len(rows), score), reason, remedy, f"are {said}", images, NOTES)
    return findings


def _same(reason: str, _: int) -> str:
    return reason
