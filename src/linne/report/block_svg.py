"""A block of a network as SVG."""

from __future__ import annotations

from markupsafe import Markup, escape

from linne.report.block_drawings import Column, Drawing, Row

WIDTH = 190
"""Of a box, in pixels."""

NARROW = 138
"""Of a box where several stand side by side."""

HEIGHT = 24
GAP = 14
SKIP = 26
"""Between the boxes and a skip connection."""


def block_svg(drawing: Drawing) -> Markup:
    """Draw boxes from top to bottom; skips pass on the left and end in a plus."""
    columns = max(len(row) for row in drawing.rows)
    inner = columns * (NARROW + GAP) - GAP if columns > 1 else WIDTH
    left = SKIP + GAP if drawing.skips else 4
    width, centre = inner + left + 4, left + inner / 2
    starts = {start for start, _ in drawing.skips}
    ends = {end: start for start, end in drawing.skips}
    parts: list[str] = []
    branched: dict[int, float] = {}
    y = 4.0
    for i, row in enumerate(drawing.rows):
        if i in starts:
            branched[i] = y + GAP / 2
        y = _row(parts, row, centre, y)
        if i in ends:
            y = _sum(parts, centre, left, branched[ends[i]], y)
    parts.append(_line(centre, y, centre, y + GAP))
    label = f"{drawing.caption}: {_in_words(drawing)}"
    return Markup(  # noqa: S704 - every text in it is escaped
        f'<svg class="block" viewBox="0 0 {width:g} {y + GAP + 2:g}" width="{width:g}" height="{y + GAP + 2:g}" '
        f'role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _row(parts: list[str], row: Row, centre: float, y: float) -> float:
    """Draw one row below `y` and give the place below it."""
    box = WIDTH if len(row) == 1 else NARROW
    whole = len(row) * (box + GAP) - GAP
    middles = [centre - whole / 2 + box / 2 + i * (box + GAP) for i in range(len(row))]
    tallest = max(len(column) for column in row)
    bottom = y + tallest * (HEIGHT + GAP)
    if len(row) > 1:
        parts.append(_line(centre, y, centre, y + GAP / 2))
        parts += [_line(middles[0], edge, middles[-1], edge) for edge in (y + GAP / 2, bottom + GAP / 2)]
        bottom += GAP / 2
    for middle, column in zip(middles, row, strict=True):
        _column(parts, column, middle, box, y + (GAP / 2 if len(row) > 1 else 0), bottom)
    return bottom


def _column(parts: list[str], column: Column, middle: float, box: float, y: float, bottom: float) -> None:
    for text in column:
        if text:
            parts.append(_line(middle, y, middle, y + GAP))
            parts.append(
                f'<rect x="{middle - box / 2:g}" y="{y + GAP:g}" width="{box:g}" height="{HEIGHT}" rx="4"/>'
                f'<text x="{middle:g}" y="{y + GAP + HEIGHT / 2 + 4:g}" text-anchor="middle">{escape(text)}</text>'
            )
            y += GAP + HEIGHT
    parts.append(_line(middle, y, middle, bottom))


def _sum(parts: list[str], centre: float, left: float, start: float, y: float) -> float:
    """Draw the skip from `start` and the plus where it ends."""
    plus, radius = y + GAP + 7, 7
    edge = left - SKIP
    parts.append(_line(centre, y, centre, plus - radius))
    parts.append(f'<path d="M{centre:g} {start:g} H{edge:g} V{plus:g} H{centre - radius:g}"/>')
    parts.append(f'<circle cx="{centre:g}" cy="{plus:g}" r="{radius}"/>')
    parts.append(_line(centre - 4, plus, centre + 4, plus) + _line(centre, plus - 4, centre, plus + 4))
    return plus + radius


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'


def _in_words(drawing: Drawing) -> str:
    rows = [" beside ".join(", ".join(filter(None, column)) or "a wire" for column in row) for row in drawing.rows]
    return "; ".join(rows) + ("; the input is added" if drawing.skips else "")
