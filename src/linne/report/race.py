"""A leaderboard to one HTML page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from linne.records.leaderboard import Leaderboard, Place
from linne.report.page import write_page
from linne.report.scatter import Point, scatter

KINDS = {"scratch": 1, "pretrained": 2}
YEARS_BETWEEN_TICKS = 4


def write_race(board: Leaderboard, path: Path) -> Path:
    """Write the page of a race: one file, which loads nothing and runs nothing.

    Raises
    ------
    WriteError
        It could not be written; an older page still stands.
    """
    write_page(path, "race.html", content_of_race(board))
    return path


def content_of_race(board: Leaderboard) -> dict[str, Any]:
    """What the page shows, as plain values and drawings."""
    scored = [place for place in board.places if place.score is not None]
    leaders = [place for place in scored if place.leads]
    return {
        "name": f"Race: {board.photos}",
        "board": board,
        "budget": budget_in_words(board.budget),
        "leaders": [(place, [other for other in scored if other.tied and _same(other, place)]) for place in leaders],
        "behind": {start: any(_is_behind(place) for place in scored if place.result.start == start) for start in KINDS},
        "opened": sum(place.result.finish is not None and place.result.finish.test is not None for place in scored),
        "unfinished": [place for place in board.places if place.score is None],
        "starts": [start for start in KINDS if any(place.result.start == start for place in scored)],
        "by_year": by_year(scored) if scored else "",
        "by_latency": by_latency(scored) if scored else "",
        "settings": ", ".join(f"{name} {value}" for name, value in board.chosen.items()),
    }


def by_year(places: Sequence[Place]) -> Markup:
    """Accuracy by the year of the paper; networks of one year stand side by side."""
    first, last = (choose(place.result.year for place in places) for choose in (min, max))
    low, span = first - 1, last - first + 2
    points = []
    for place in places:
        of_year = [other for other in places if other.result.year == place.result.year]
        shift = (of_year.index(place) + 0.5) / len(of_year) - 0.5
        points.append(_point(place, (place.result.year + 0.7 * shift - low) / span))
    ticks = [((year - low) / span, str(year)) for year in _years(first, last)]
    return scatter(points, ticks, "year of the paper", "accuracy")


def by_latency(places: Sequence[Place]) -> Markup:
    """Accuracy by latency, on a logarithmic axis."""
    logs = [math.log10(max(_milliseconds(place), 1e-3)) for place in places]
    low, high = min(logs) - 0.15, max(logs) + 0.15
    points = [_point(place, (log - low) / (high - low)) for place, log in zip(places, logs, strict=True)]
    steps = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in (1, 2, 5)]
    ticks = [
        ((math.log10(step) - low) / (high - low), f"{step:g}") for step in steps if low <= math.log10(step) <= high
    ]
    return scatter(points, ticks, "milliseconds an image (logarithmic)", "accuracy")


def budget_in_words(seconds: float | None) -> str:
    """How long each network had."""
    if seconds is None:
        return "no limit of time"
    return f"{seconds:g} seconds" if seconds < 120 else f"{seconds / 60:g} minutes"


def _years(first: int, last: int) -> list[int]:
    """The first year, and round ones that leave it room."""
    round_ones = range(-(-first // YEARS_BETWEEN_TICKS) * YEARS_BETWEEN_TICKS, last + 1, YEARS_BETWEEN_TICKS)
    return [first, *(year for year in round_ones if year > first + 1)]


def _point(place: Place, at: float) -> Point:
    assert place.score is not None  # noqa: S101 - only those with a score are drawn
    score = place.score
    return Point(place.result.shown, at, score.value, score.low, score.high, KINDS[place.result.start])


def _milliseconds(place: Place) -> float:
    assert place.result.finish is not None  # noqa: S101 - it has a score
    return place.result.finish.milliseconds


def _same(one: Place, other: Place) -> bool:
    return one.result.start == other.result.start


def _is_behind(place: Place) -> bool:
    return not (place.leads or place.tied)
