"""Is a run that is on time paced by its steps, and one that is late by the clock, to the very end?"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.fit.pace import FEWEST_STEPS, LATE, Pace

step_counts = st.integers(1, 200)
step_seconds = st.floats(0.01, 10)


@given(steps=step_counts, seconds=st.lists(step_seconds, min_size=1, max_size=5))
def test_without_an_end_only_steps_count(steps: int, seconds: list[float]) -> None:
    pace, now = Pace(steps, None), 0.0
    for step in range(steps):
        assert pace.at(step, now) == step / steps
        now += seconds[step % len(seconds)]
    assert pace.hurried is None


@given(steps=step_counts, second=step_seconds, spare=st.floats(1e-6, 2), began=st.floats(0, 1000))
def test_on_time_only_steps_count(steps: int, second: float, spare: float, began: float) -> None:
    pace = Pace(steps, began + steps * second * (1 + spare))
    for step in range(steps):
        assert pace.at(step, began + step * second) == step / steps
    assert pace.hurried is None


@given(
    steps=st.integers(2 * FEWEST_STEPS + 2, 300),
    second=step_seconds,
    share=st.floats(0.2, 0.95),
    uneven=st.lists(st.floats(0.5, 2), min_size=1, max_size=7),
)
def test_late_it_rises_to_exactly_one_at_the_end(steps: int, second: float, share: float, uneven: list[float]) -> None:
    """The machine is slower than was planned: only a share of the steps is done when time is over."""
    end = share * steps * second
    pace, now, found = Pace(steps, end), 0.0, []
    for step in range(steps):
        if now >= end:
            break
        found.append(pace.at(step, now))
        now += second * uneven[step % len(uneven)]
    assert found == sorted(found)
    assert all(0 <= value <= 1 for value in found)
    last = pace.at(min(len(found), steps - 1), end)
    assert last == 1 if pace.hurried else last >= found[-1]
    assert pace.at(min(len(found), steps - 1), end + 1) <= 1


def test_a_machine_that_becomes_slower_is_noticed_and_the_rest_drawn_together() -> None:
    pace, now, found = Pace(100, 100.0), 0.0, []
    for step in range(100):
        if now >= 100:
            break
        found.append(pace.at(step, now))
        now += 1.0 if step < 50 else 2.0  # seconds
    assert found[:50] == [step / 100 for step in range(50)]
    assert pace.hurried is not None
    assert 0.5 <= pace.hurried[0] <= 0.55
    assert pace.at(75, 100.0) == pytest.approx(1.0)
    rises = [later - earlier for earlier, later in itertools.pairwise(found[56:])]
    assert rises == pytest.approx([rises[0]] * len(rises))  # in a straight line by the clock


def test_a_little_late_is_on_time() -> None:
    pace = Pace(100, 100.0)
    for step in range(100):
        pace.at(step, step * (1 + LATE / 2))
    assert pace.hurried is None


def test_a_run_that_goes_on_stays_hurried() -> None:
    pace = Pace(100, 100.0, hurried=(0.5, 60.0))
    assert pace.at(50, 60.0) == pytest.approx(0.5)
    assert pace.at(60, 80.0) == pytest.approx(0.75)
    assert pace.at(70, 100.0) == pytest.approx(1.0)


def test_after_the_end_all_is_done() -> None:
    assert Pace(100, 10.0).at(0, 10.0) == 1.0
    assert Pace(100, 10.0).at(3, 11.0) == 1.0


def test_the_slow_first_step_of_a_run_that_goes_on_hurries_nothing() -> None:
    pace, now = Pace(100, 100.0), 40.0
    for step in range(50, 60):  # ten seconds to spare, of which the first step takes eight
        assert pace.at(step, now) == step / 100
        now += 9.0 if step == 50 else 1.0
    assert pace.hurried is None
