"""Which images are there twice, byte for byte or to the eye, and which of them under two labels?"""

from __future__ import annotations

import numpy as np

from linne.audit.compared import Known
from linne.audit.near_copies import find_near
from linne.audit.pairs import EDITED, EXACT, Pairs
from linne.audit.pictures import Pictures
from linne.audit.turned import TURNS
from linne.records.findings import Finding
from linne.records.fingerprint import sortable
from linne.records.index import Index
from linne.records.progress import Progress

EXACT_COPY = "exact duplicate"
NEAR_COPY = "near duplicate"
TWO_LABELS = "two labels"


def find_pairs(pictures: Pictures, known: Known, threads: int, progress: Progress) -> Pairs:
    """Find copies among the readable images.

    Parameters
    ----------
    pictures : Pictures
    known : Known
        What an earlier audit compared.
    threads : int
    progress : Progress

    Returns
    -------
    Pairs
        Every file is paired with the first of its exact copies. Near copies are looked for among the firsts, and
        given as the likeliest pairs that join each group.
    """
    rows = np.flatnonzero(pictures.readable)
    _, first, which = np.unique(sortable(pictures.digest[rows]), return_index=True, return_inverse=True)
    original = rows[first[which]]
    again = rows != original
    copies = Pairs(original[again], rows[again], np.ones(again.sum(), np.float32), np.full(again.sum(), EXACT, np.int8))
    return copies.and_those_of(find_near(pictures, np.sort(rows[first]), known, threads, progress))


def duplicates(index: Index, pairs: Pairs) -> list[Finding]:
    """Tell each pair, and whether its images carry different labels."""
    findings = []
    for first, second, score, kind in zip(pairs.first, pairs.second, pairs.score, pairs.kind, strict=True):
        path, other = index.path(second), index.path(first)
        label, others_label = index.label_of(second), index.label_of(first)
        check = EXACT_COPY if kind == EXACT else NEAR_COPY
        what = _what(int(kind), float(score))
        findings.append(Finding(check, path, float(score), what, other, label=label, remedy="keep one"))
        if label != others_label:
            reason = f"{what}, filed under {others_label} and under {label}"
            remedy = "decide on one label, and keep one"
            findings.append(Finding(TWO_LABELS, path, float(score), reason, other, label, others_label, remedy))
    return findings


def _what(kind: int, score: float) -> str:
    if kind == EXACT:
        return "the same bytes"
    if kind == EDITED:
        return f"the same picture, cropped or edited (likeness {score:.3f})"
    return f"the same picture{f', {TURNS[kind]}' if kind else ''} (likeness {score:.3f})"
