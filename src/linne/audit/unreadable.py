"""Which images cannot be decoded, and what was found where images should be?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.records.findings import Finding
from linne.records.index import Index
from linne.records.set_aside import NO_IMAGE

CHECK = "unreadable"
REMEDY = "replace or remove it"


def unreadable(index: Index, reason: NDArray[np.object_]) -> list[Finding]:
    """Images that were set aside or failed to decode; `reason` is ``(n,)``, empty where all is well."""
    rows = np.flatnonzero(reason != "").tolist()
    failed = [
        Finding(CHECK, index.path(row), 1.0, str(reason[row]), label=index.label_of(row), remedy=REMEDY) for row in rows
    ]
    aside = [
        Finding(CHECK, item.path, 1.0, item.reason, remedy=REMEDY)
        for item in index.set_aside
        if item.reason != NO_IMAGE
    ]
    return failed + aside
