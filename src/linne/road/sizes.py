"""Sizes that people write: ``500M``, ``10G``."""

from __future__ import annotations

import re

from linne.records.errors import LinneError

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def parse_size(text: str | int) -> int:
    """Read ``"10G"``, ``"500M"``, ``"0"`` or a number of bytes; units are powers of 1000.

    Raises
    ------
    LinneError
        It is none of these.
    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([KMGT]?)B?", str(text).strip().upper())
    if match is None:
        raise LinneError("is no size", value=text, remedy="give it as 500M or 10G; 0 keeps nothing")
    return int(float(match[1]) * _UNITS[match[2]])
