"""What belongs together by name, and by two reasons at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_records import index

from linne.records.errors import DataError
from linne.split.groups import groups_by_name, join_groups

NAMES = ["cat/p1_a.png", "dog/p1_b.png", "cat/p2_a.png", "cat/p12_a.png", "p1/other.png", "dog/other.png"]


def together(group: np.ndarray) -> set[tuple[int, int]]:
    return {(i, j) for i, j in itertools.combinations(range(len(group)), 2) if group[i] == group[j]}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"(p\d+)_", {(0, 1)}),  # p12 is not p1, and the folder's name is not the file's
        (r"^p\d+", {(0, 1)}),  # without parentheses all that matched counts
        (r"p\d+_(\w)\.", {(0, 2), (0, 3), (2, 3)}),
        (r"(p)(\d)", {(0, 1), (0, 3), (1, 3)}),  # two parentheses: both must be the same
        (r"(p\d+)_|(other)", {(0, 1), (4, 5)}),
        (r"(p\d+)?", {(0, 1)}),  # what matches nothing names no group
        (r"(?:p\d+)?", {(0, 1)}),
    ],
)
def test_groups_by_name(pattern: str, expected: set[tuple[int, int]]) -> None:
    assert together(groups_by_name(index(NAMES), pattern)) == expected


@pytest.mark.parametrize("pattern", ["(", "[", "*", "(?P<", "video", "", "x*"])
def test_patterns_that_group_nothing_are_refused(pattern: str) -> None:
    with pytest.raises(DataError) as caught:
        groups_by_name(index(NAMES), pattern)
    assert pattern in str(caught.value.value)


GROUPS = st.integers(0, 9).flatmap(
    lambda rows: st.tuples(*[st.lists(st.integers(0, 4), min_size=rows, max_size=rows)] * 2)
)


@given(GROUPS)
def test_joined_groups_are_the_least_that_hold_both(pair: tuple[list[int], list[int]]) -> None:
    one, two = (np.array(group, np.int64) for group in pair)
    rows = len(one)
    linked = np.eye(rows, dtype=bool)
    for i, j in together(one) | together(two):
        linked[i, j] = linked[j, i] = True
    for middle in range(rows):  # Warshall: what is linked by way of others is linked
        linked |= linked[:, middle : middle + 1] & linked[middle : middle + 1, :]
    joined = join_groups(one, two)
    assert together(joined) == {(i, j) for i, j in itertools.combinations(range(rows), 2) if linked[i, j]}
    assert together(join_groups(two, one)) == together(joined)


def test_join_is_transitive() -> None:
    joined = join_groups(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7]))
    assert together(joined) == {(0, 1), (0, 2), (1, 2)}
