"""Odd sizes and aspect ratios."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from some_facts import facts
from some_records import index

from linne.audit.sizes import SHAPE, SIZE, odd_aspect_ratio, odd_size
from linne.records.findings import Finding


def sizes(width: list[int], height: list[int]) -> list[Finding]:
    rows = len(width)
    found = facts(rows, width=width, height=height)
    images, readable = index([str(row) for row in range(rows)]), np.ones(rows, bool)
    return odd_size(images, found, readable) + odd_aspect_ratio(images, found, readable)


def test_one_size_for_all_is_not_odd() -> None:
    assert sizes([8] * 1000, [8] * 1000) == []


def test_a_small_one_and_a_large_one() -> None:
    small, large = sizes([400] * 50 + [40, 4000], [300] * 50 + [30, 3000])
    assert (small.check, small.path, large.path) == (SIZE, "50", "51")
    assert 1 > small.score >= 0.5 > large.score > 0


def test_sizes_that_spread_are_not_odd() -> None:
    sides = np.geomspace(200, 3000, 100).astype(int).tolist()
    assert sizes(sides, sides) == []


def test_strips() -> None:
    wide, tall = sizes([800, 100, 400, 400], [100, 800, 300, 180])
    assert (wide.check, wide.path, tall.path) == (SHAPE, "0", "1")
    assert 0.5 <= wide.score <= 1


def test_a_set_of_strips_is_told_of_once() -> None:
    findings = sizes([1000] * 30, [100] * 30)
    assert [(finding.check, finding.path) for finding in findings] == [(SHAPE, "")]


@given(st.lists(st.tuples(st.integers(1, 100_000), st.integers(1, 100_000)), max_size=40))
def test_any_sizes(each: list[tuple[int, int]]) -> None:
    findings = sizes([width for width, _ in each], [height for _, height in each])
    assert all(0 < finding.score <= 1 for finding in findings)
    assert all(finding.reason for finding in findings)
