"""Points with intervals and names that do not overlap, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP, BOTTOM = 62, 24, 16, 46
LETTER, LINE = 7.3, 14.0
"""Room for a letter and a line of a name, in the units of the drawing."""

RADIUS = 5.0
RINGS = (12.0, 20.0, 30.0, 42.0, 56.0, 72.0, 90.0)
DIRECTIONS = 16
FAR = 16.0
"""A name farther from its point than that gets a line to it."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Point:
    """A value in [0, 1] with its interval, at a place in [0, 1] along the x axis; `kind` 1 is a dot, 2 a diamond."""

    name: str
    at: float
    value: float
    low: float
    high: float
    kind: int


def scatter(points: Sequence[Point], ticks: Sequence[tuple[float, str]], x_name: str, y_name: str) -> Markup:
    """Draw points, each with its interval and its name.

    Parameters
    ----------
    points : sequence of Point
    ticks : sequence of (float, str)
        Of the x axis: place in [0, 1], and text.
    x_name, y_name : str
    """
    floor = math.floor(min(point.low for point in points) * 10) / 10
    ceiling = max(math.ceil(max(point.high for point in points) * 10) / 10, floor + 0.1)
    step = 0.1 if ceiling - floor > 0.35 else 0.05

    def place(point: Point, value: float) -> tuple[float, float]:
        return _x(point.at), _y((value - floor) / (ceiling - floor))

    parts = [f'<svg class="scatter" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{y_name} by {x_name}">']
    for number in range(round((ceiling - floor) / step) + 1):
        y = _y(number * step / (ceiling - floor))
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" class="end">{floor + number * step:.2f}</text>')
    for at, text in ticks:
        parts.append(f'<text x="{_x(at):.1f}" y="{HEIGHT - BOTTOM + 18}" class="middle">{text}</text>')
    parts.append(f'<text x="{_x(0.5):.1f}" y="{HEIGHT - 6}" class="middle">{x_name}</text>')
    parts.append(f'<text transform="translate(13 {_y(0.5):.1f}) rotate(-90)" class="middle">{y_name}</text>')
    spots = [place(point, point.value) for point in points]
    whiskers = []
    for point, (x, y) in zip(points, spots, strict=True):
        low, high = place(point, point.low)[1], place(point, point.high)[1]
        whiskers.append((x - 1.0, high, x + 1.0, low))
        parts.append(f'<line x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}" class="whisker c{point.kind}"/>')
        told = f"<title>{escape(point.name)}: {point.value:.3f} [{point.low:.3f}, {point.high:.3f}]</title>"
        parts.append(f'<path d="{_shape(x, y, point.kind)}" class="spot f{point.kind}">{told}</path>')
    boxes = place_names([point.name for point in points], spots, whiskers)
    for point, spot, box in zip(points, spots, boxes, strict=True):
        parts.append(_name(point, spot, box))
    return Markup("".join(parts) + "</svg>")  # noqa: S704 - numbers, words of this package, and names that are escaped


def place_names(names: Sequence[str], spots: Sequence[tuple[float, float]], lines: Sequence[Box] = ()) -> list[Box]:
    """Find a box (left, top, right, bottom) for each name: near its spot, off the others, the first free one wins.

    What covers something counts by its area, so that a thin line is crossed before a name is.
    """
    dots = [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in spots]
    taken: list[Box] = []
    for name, (x, y) in zip(names, spots, strict=True):
        tried = [box for box in _around(x, y, LETTER * len(name)) if _within(box)]
        taken.append(min(tried, key=lambda box: sum(_overlap(box, other) for other in (*dots, *lines, *taken))))
    return taken


def _around(x: float, y: float, width: float) -> list[Box]:
    """Boxes around a spot, near ones first, those to the right before those to the left."""
    boxes = []
    for ring in RINGS:
        for turn in sorted(range(DIRECTIONS), key=lambda turn: min(turn, DIRECTIONS - turn)):
            angle = 2 * math.pi * turn / DIRECTIONS
            across, down = math.cos(angle), math.sin(angle)
            left = x + ring * across - width * (1 - across) / 2
            top = y + ring * down - LINE / 2
            boxes.append((left, top, left + width, top + LINE))
    return boxes


def _within(box: Box) -> bool:
    return box[0] >= LEFT and box[2] <= WIDTH - 2 and box[1] >= 2 and box[3] <= HEIGHT - BOTTOM


def _overlap(one: Box, other: Box) -> float:
    """Area that two boxes share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


def _name(point: Point, spot: tuple[float, float], box: Box) -> str:
    x, y = spot
    near = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
    text = f'<text x="{box[0]:.1f}" y="{box[3] - 3.5:.1f}">{escape(point.name)}</text>'
    if math.dist(spot, near) <= FAR:
        return text
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{near[0]:.1f}" y2="{near[1]:.1f}" class="pointer"/>{text}'


def _shape(x: float, y: float, kind: int) -> str:
    r = RADIUS
    if kind == 2:
        r += 1
        return f"M{x:.1f} {y - r:.1f}L{x + r:.1f} {y:.1f}L{x:.1f} {y + r:.1f}L{x - r:.1f} {y:.1f}Z"
    return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0Z"


def _x(share: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * share


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
