"""The report's drawings: pure functions from numbers to inline SVG, or to a table that is coloured in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from linne.records.errors import printable

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 60, 14, 12, 44
HISTOGRAM = 46
"""Height of the bars of images below the reliability diagram's dots."""


class Line(NamedTuple):
    """One line of a chart: its name, the number of its colour in the page's style, and points (x, y)."""

    name: str
    colour: int
    points: Sequence[tuple[float, float]]


def bar(value: float) -> Markup:
    """A share in [0, 1] as a bar, beside a number that says the same."""
    width = 100 * min(max(value, 0.0), 1.0)
    return Markup(  # noqa: S704 - numbers only
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="100" height="6" class="track"/><rect width="{width:.1f}" height="6" class="fill"/></svg>'
    )


def interval(value: float, low: float, high: float) -> Markup:
    """A value in [0, 1] as a mark on its interval, beside the numbers."""
    left, middle, right = (200 * min(max(at, 0.0), 1.0) for at in (low, value, high))
    return Markup(  # noqa: S704 - numbers only
        '<svg class="interval" viewBox="-2 0 204 10" aria-hidden="true"><rect y="4" width="200" height="2" '
        f'class="track"/><rect x="{left:.1f}" y="3" width="{max(right - left, 1):.1f}" height="4" '
        f'class="range-bar"/><rect x="{middle - 1.5:.1f}" width="3" height="10" rx="1.5" class="fill"/></svg>'
    )


def confusion_matrix(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """True classes by answers: right answers are washed in one colour, mistakes in another.

    Parameters
    ----------
    labels : sequence of str
    counts : sequence of sequence of int
        Row: true class; column: answer.
    """
    names = [printable(label) for label in labels]
    heads = Markup().join(
        Markup('<th scope="col" title="{}"><span><bdi>{}</bdi></span></th>').format(name, name) for name in names
    )
    rows = Markup().join(
        Markup('<tr><th scope="row" title="{}"><span><bdi>{}</bdi></span></th>{}</tr>').format(
            name, name, Markup().join(_cell(count, max(sum(row), 1), i == j) for j, count in enumerate(row))
        )
        for i, (name, row) in enumerate(zip(names, counts, strict=True))
    )
    return Markup(
        '<table class="matrix"><thead><tr><th scope="col"><span class="hidden">true class</span></th>{}</tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(heads, rows)


def reliability_diagram(
    bins: Sequence[tuple[float, float, int]],
    across: str = "confidence",
    up: str = "accuracy",
    counted: str = "images",
) -> Markup:
    """Accuracy over confidence, with the images of each bin below; on the diagonal the probabilities are honest.

    Parameters
    ----------
    bins : sequence of (float, float, int)
        Mean confidence, accuracy and images, as in `linne.records.evaluation.Evaluation.reliability`.
    across, up, counted : str
        What these are called.
    """
    most = max((images for _, _, images in bins), default=1)
    drawn = [_line((_x(0), _y(0)), (_x(1), _y(1)), "ideal")]
    for confidence, _, images in bins:
        height = max(HISTOGRAM * images / max(most, 1), 1)
        drawn.append(
            f'<rect x="{_x(confidence) - 6:.1f}" y="{_y(0) - height:.1f}" width="12" height="{height:.1f}" '
            f'class="track"><title>{images} {counted}</title></rect>'
        )
    for confidence, accuracy, images in bins:
        drawn.append(_line((_x(confidence), _y(confidence)), (_x(confidence), _y(accuracy)), "gap"))
        drawn.append(
            f'<circle cx="{_x(confidence):.1f}" cy="{_y(accuracy):.1f}" r="5" class="dot"><title>'
            f"{across} {confidence:.3f}, {up} {accuracy:.3f}, {images} {counted}</title></circle>"
        )
    told = "; ".join(f"{confidence:.3f}: {accuracy:.3f} of {images}" for confidence, accuracy, images in bins)
    ticks = [(step / 5, f"{step / 5:.1f}") for step in range(6)]
    return _chart(f"{up.capitalize()} at each {across}. {told}", "".join(drawn), ticks, ticks, across, up)


def training_curve(
    name: str, lines: Sequence[Line], chosen: int | None = None, reference: tuple[str, float] | None = None
) -> Markup:
    """Values by epoch.

    Parameters
    ----------
    name : str
        What is measured.
    lines : sequence of Line
        Points are (epoch, value); at least one line has a point.
    chosen : int, optional
        The epoch whose weights were kept; marked on the first line.
    reference : (str, float), optional
        Name and value of a dashed level, for instance of the probe.
    """
    points = [point for line in lines for point in line.points]
    values = [value for _, value in points] + ([] if reference is None else [reference[1]])
    up = _ticks(min(values), max(values))
    low, high = up[0], up[-1]
    last = max(max(epoch for epoch, _ in points), 1)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return _x(point[0] / last), _y((point[1] - low) / (high - low))

    drawn = []
    if reference is not None:
        level = place((0, reference[1]))[1]
        drawn.append(_line((LEFT, level), (WIDTH - RIGHT, level), "ideal"))
        drawn.append(f'<text x="{WIDTH - RIGHT}" y="{level - 5:.1f}" class="end">{reference[0]}</text>')
    for line in lines:
        placed = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, line.points))
        drawn.append(f'<polyline points="{placed}" class="curve c{line.colour}"/>')
    for epoch, value in lines[0].points:
        if epoch == chosen:
            x, y = place((epoch, value))
            drawn.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" class="dot"><title>kept: {value:.3f}</title></circle>'
            )
    told = ". ".join(f"{line.name}: {', '.join(f'{value:.3f}' for _, value in line.points)}" for line in lines)
    across = [(step / last, f"{step:g}") for step in _ticks(0, last) if step <= last and step == int(step)]
    decimals = max(0, -math.floor(math.log10(up[1] - up[0]) + 1e-9))
    levels = [((value - low) / (high - low), f"{value:.{decimals}f}") for value in up]
    return _chart(f"{name} by epoch. {told}", "".join(drawn), across, levels, "epoch", name)


def histogram(
    counts: Sequence[int],
    ranges: Sequence[str],
    ticks: Sequence[tuple[float, str]],
    name: str,
    mark: tuple[float, str] | None = None,
    counted: str = "images",
) -> Markup:
    """Images in ranges that lie side by side.

    Parameters
    ----------
    counts : sequence of int
    ranges : sequence of str
        What to call each.
    ticks : sequence of (float, str)
        Place, in ranges from the left edge, and text.
    name : str
        What is measured.
    mark : (float, str), optional
        A dashed line at a place, and its name.
    counted : str
        What is counted.
    """
    up = [level for level in _ticks(0, max(*counts, 4)) if level == int(level)]
    wide = (WIDTH - LEFT - RIGHT) / len(counts)
    drawn = []
    for i, (images, what) in enumerate(zip(counts, ranges, strict=True)):
        height = _y(0) - _y(images / up[-1])
        if images:
            height = max(height, 1.5)  # a single image among millions is to be seen, too
        drawn.append(
            f'<rect x="{LEFT + i * wide + 1:.1f}" y="{_y(0) - height:.1f}" width="{wide - 2:.1f}" '
            f'height="{height:.1f}" class="fill"><title>{what}: {images:,} {counted}</title></rect>'
        )
    if mark is not None:
        x = LEFT + mark[0] * wide
        side, shift = ("end", -6) if mark[0] > len(counts) / 2 else ("begin", 6)
        drawn.append(_line((x, TOP), (x, _y(0)), "ideal"))
        drawn.append(f'<text x="{x + shift:.1f}" y="{TOP + 10}" class="{side}">{mark[1]}</text>')
    told = "; ".join(f"{what}: {images:,}" for what, images in zip(ranges, counts, strict=True) if images)
    across = [(place / len(counts), text) for place, text in ticks]
    levels = [(level / up[-1], _short(level)) for level in up]
    return _chart(f"Number of {counted} by {name}. {told}", "".join(drawn), across, levels, name, counted)


def _short(number: float) -> str:
    """A round number in at most five characters or so."""
    for unit, sign in ((1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:g}{sign}"
    return f"{number:g}"


def _cell(count: int, images: int, right: bool) -> Markup:
    if not count:
        return Markup("<td></td>")
    share = count / images
    kind, depth = ("right", share) if right else ("wrong", math.sqrt(share))  # single mistakes are to be seen too
    return Markup(f'<td class="{kind}" style="--depth:{depth:.3f}">{count}</td>')  # noqa: S704 - numbers only


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from at most `low` to at least `high`, three to seven of them."""
    span = max(high - low, 1e-3)
    unit = 10.0 ** math.floor(math.log10(span / 4))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= span / 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, max(last, first + 1) + 1)]


def _x(share: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * share


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def _line(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    return f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" class="{kind}"/>'


def _chart(
    told: str,
    drawn: str,
    across: Sequence[tuple[float, str]],
    up: Sequence[tuple[float, str]],
    x_name: str,
    y_name: str,
) -> Markup:
    """Grid, ticks and names of axes around a drawing; a tick is (share of the axis, text), `told` is for the blind."""
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}">']
    for share, text in up:
        parts.append(_line((LEFT, _y(share)), (WIDTH - RIGHT, _y(share)), "grid"))
        parts.append(f'<text x="{LEFT - 7}" y="{_y(share) + 4:.1f}" class="end">{text}</text>')
    for share, text in across:
        parts.append(f'<text x="{_x(share):.1f}" y="{HEIGHT - BOTTOM + 17}" class="middle">{text}</text>')
    parts.append(f'<text x="{_x(0.5):.1f}" y="{HEIGHT - 5}" class="middle">{x_name}</text>')
    parts.append(f'<text transform="translate(12 {_y(0.5):.1f}) rotate(-90)" class="middle">{y_name}</text>')
    return Markup("".join(parts) + drawn + "</svg>")  # noqa: S704 - numbers, and the words of this package only
