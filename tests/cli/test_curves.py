"""Are curves drawn where they should be, whatever the numbers?"""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from linne.cli.curves import chart

NUMBERS = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60)


def dots(text: str) -> list[tuple[int, int]]:
    """Dots of a panel as column and row, both from the upper left; braille from its definition, U+2800."""
    offsets = {0: (0, 0), 1: (0, 1), 2: (0, 2), 3: (1, 0), 4: (1, 1), 5: (1, 2), 6: (0, 3), 7: (1, 3)}
    found = []
    for row, line in enumerate(text.splitlines()[1:]):
        for column, character in enumerate(line):
            if 0x2800 <= ord(character) < 0x2900:
                bits = ord(character) - 0x2800
                found += [(2 * column + x, 4 * row + y) for bit, (x, y) in offsets.items() if bits >> bit & 1]
    return sorted(found)


@given(
    st.dictionaries(st.text(st.characters(codec="ascii", exclude_categories=["C"])), NUMBERS, max_size=3),
    st.integers(1, 90),
    st.integers(0, 12),
)
def test_whatever_the_numbers_the_chart_fits(series: dict[str, list[float]], width: int, height: int) -> None:
    drawn = chart(series, width, height)
    if drawn:
        assert len(drawn.split("\n")) == height
        assert max(len(line) for line in drawn.split("\n")) <= width


def test_a_rising_line_rises_from_corner_to_corner() -> None:
    found = dots(chart({"a": [float(i) for i in range(10)]}, 30, 6))
    assert [x for x, _ in found] == sorted(x for x, _ in found)
    heights = [y for _, y in found]
    assert (heights[0], heights[-1]) == (19, 0)  # five rows of four dots
    assert all(later <= sooner for sooner, later in itertools.pairwise(heights))


def test_a_constant_is_one_straight_line() -> None:
    found = dots(chart({"a": [0.5] * 7}, 30, 6))
    assert len({y for _, y in found}) == 1
    assert len(found) == 2 * (30 - 8)


def test_thousands_of_points_keep_their_extremes() -> None:
    values = [0.0] * 5000
    values[2500] = 1.0
    found = dots(chart({"a": values}, 30, 6))
    assert min(y for _, y in found) == 0
    assert len({x for x, y in found if y == 0}) == 1


def test_what_is_no_number_is_passed_over_and_scales_nothing() -> None:
    passed = chart({"a": [1.0, math.nan, math.inf, 2.0]}, 30, 6)
    assert "2.000" in passed
    assert "1.000" in passed
    assert not dots(chart({"a": [math.nan]}, 30, 6))


def test_panels_stand_side_by_side() -> None:
    lines = chart({"one": [1.0, 2.0], "two": [3.0, 4.0]}, 60, 5).splitlines()
    assert "one 2.000" in lines[0]
    assert "two 4.000" in lines[0]
