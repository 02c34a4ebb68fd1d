"""Curves drawn in characters: braille, two by four dots each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille character: its left column from above, and its right."""

_LABEL = 7
"""Characters of the numbers at the left of a panel."""

_NARROWEST = 4
"""Characters of a curve."""


def chart(series: Mapping[str, Sequence[float]], width: int = 64, height: int = 8) -> str:
    """Draw series side by side, each on a scale of its own.

    Parameters
    ----------
    series : mapping of str to sequence of float
        Values at equal steps, by the title of their panel; NaN and infinity are passed over.
        Where there are more values than dots, a column of dots reaches from the least to the greatest of those that
        fall in it.
    width, height : int
        Characters in all, titles counted in.

    Returns
    -------
    str
        Lines of at most `width` characters, `height` of them; fewer panels where not all fit, and '' where none does.
    """
    fitting = min(len(series), (width + 2) // (_LABEL + 1 + _NARROWEST + 2))
    if fitting < 1 or height < 2:
        return ""
    each = (width + 2) // fitting - 2
    panels = [_panel(title, values, each, height) for title, values in list(series.items())[:fitting]]
    return "\n".join("  ".join(lines).rstrip() for lines in zip(*panels, strict=True))


def _panel(title: str, values: Sequence[float], width: int, height: int) -> list[str]:
    rows, columns = height - 1, width - _LABEL - 1
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    cells = [[0] * columns for _ in range(rows)]
    for x, (start, end) in _spans(values, 2 * columns, low, high, 4 * rows):
        for y in range(start, end + 1):
            cells[rows - 1 - y // 4][x // 2] |= _DOTS[x % 2][3 - y % 4]
    numbers = {0: _number(high), rows - 1: _number(low)} if finite and low < high else {rows - 1: _number(low)}
    if not finite:
        numbers = {}
    now = f"{title} {_number(finite[-1])}" if finite else title
    lines = [f"{'':{_LABEL}} {now}"[:width].ljust(width)]
    for row, line in enumerate(cells):
        lines.append(f"{numbers.get(row, ''):>{_LABEL}} " + "".join(chr(0x2800 + cell) for cell in line))
    return lines


def _spans(
    values: Sequence[float], columns: int, low: float, high: float, dots: int
) -> list[tuple[int, tuple[int, int]]]:
    """Columns that have dots, and from which to which; neighbours are joined."""
    held: dict[int, list[int]] = {}
    last = max(len(values) - 1, 1)
    for place, value in enumerate(values):
        if math.isfinite(value):
            share = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.0
            held.setdefault(round(place / last * (columns - 1)), []).append(round(share * (dots - 1)))
    spans: list[tuple[int, tuple[int, int]]] = []
    before: tuple[int, int] | None = None
    for x, heights in sorted(held.items()):
        start, end = min(heights), max(heights)
        if before is not None:
            for between in range(before[0] + 1, x):
                y = round(before[1] + (heights[0] - before[1]) * (between - before[0]) / (x - before[0]))
                spans.append((between, (y, y)))
        spans.append((x, (start, end)))
        before = x, heights[-1]
    return spans


def _number(value: float) -> str:
    """At most seven characters."""
    return f"{value:.3f}" if 0.001 <= abs(value) < 100 or value == 0 else f"{value:.0e}"
