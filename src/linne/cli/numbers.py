"""How numbers are read and shown: 3.5M, 61.7k, and 81.5 @380 for an accuracy at another image size."""

from __future__ import annotations

import re

import typer

_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9}


def a_number(text: str) -> float:
    """Read 6M, 4.5e6, 600k, 6,000,000 or 1G."""
    plain = re.sub(r"(?<=[0-9])[,_](?=[0-9]{3})", "", text.strip().lower())
    match = re.fullmatch(r"((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,2})?) ?([kmgb]?)", plain)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no number such as 6M, 600k or 1.5G")
    return float(match[1]) * _FACTORS[match[2]]


def short(number: float) -> str:
    """Give three digits and a letter that `a_number` reads: 61.7k, 3.5M, 4.09G."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * factor:
            return f"{number / factor:.3g}{letter}"
    return f"{number:.0f}"


def accuracy(top1: float | None, pixels: int | None, side: int) -> str:
    """Give an accuracy in %, and the image size where it was measured at another one than `side`."""
    if top1 is None:
        return ""
    return f"{top1:.1f}" if pixels in (None, side) else f"{top1:.1f} @{pixels}"
