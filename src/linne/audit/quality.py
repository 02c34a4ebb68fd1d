"""Every question that facts alone answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.colour import odd_colour
from linne.audit.exposure import dark, light
from linne.audit.information import low_information
from linne.audit.modes import odd_modes
from linne.audit.rotated import rotated
from linne.audit.sharpness import blurred
from linne.audit.shortcuts import shortcuts
from linne.audit.sizes import odd_aspect_ratio, odd_size
from linne.audit.wrong_extension import wrong_extension
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

CHECKS = (
    low_information,
    dark,
    light,
    blurred,
    odd_size,
    odd_aspect_ratio,
    odd_colour,
    odd_modes,
    wrong_extension,
    rotated,
    shortcuts,
)


def quality(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell what is odd about files and pictures; `readable` is ``(n,)``."""
    return [finding for check in CHECKS for finding in check(index, facts, readable)]
