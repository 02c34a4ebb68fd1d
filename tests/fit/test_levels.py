"""Do levels take the views and the epochs that their time holds?"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.fit.levels import (
    EPOCHS,
    MOST_EPOCHS,
    VALIDATION_SPEED,
    VIEWS,
    WORTHWHILE_EPOCHS,
    WORTHWHILE_WITH_VIEWS,
    Level,
    Training,
    in_short,
    settle,
)
from linne.fit.plan import RECIPES

SIZES = (1000, 300)
TAIL = Level(replace(RECIPES["stages"], frozen_stages=12, epochs=4), 110.0, 100.0, 1000)  # 10 s an epoch, and a view
WHOLE = Level(replace(RECIPES["whole"], epochs=8), 55.0, 100.0)  # 20 s an epoch
MOST = MOST_EPOCHS["stages"]

speeds = st.floats(0.1, 1e4)
sizes_of_sets = st.tuples(st.integers(1, 10**5), st.integers(1, 10**4))


@given(epochs=st.integers(0, 50), views=st.integers(1, 9), speed=speeds, made=speeds, sizes=sizes_of_sets)
def test_seconds_are_those_of_views_epochs_and_validations(
    epochs: int, views: int, speed: float, made: float, sizes: tuple[int, int]
) -> None:
    level = Level(TAIL.recipe, speed, made).of_length(epochs, views)
    epoch = sizes[0] / speed + sizes[1] / (VALIDATION_SPEED * speed)
    assert level.seconds(sizes) == pytest.approx((views - 1) * sizes[0] / made + epochs * epoch)


@pytest.mark.parametrize(
    ("seconds", "views", "epochs"),
    [
        (math.inf, 4, MOST),
        (1000, 4, MOST),
        (90, 4, 6),  # three more views, 10 s each, and six epochs
        (89, 2, 6),
        (45, 1, 4),
        (70, 2, 6),
        (69, 1, 6),
        (9, 1, 0),
        (0, 1, 0),
        (-5, 1, 0),
    ],
)
def test_views_come_before_epochs(seconds: float, views: int, epochs: int) -> None:
    recipe = TAIL.within(seconds, SIZES, MOST, {}).recipe
    assert (recipe.views, recipe.epochs) == (views, epochs)


@given(seconds=st.floats(0, 1e5), speed=speeds, made=speeds, sizes=sizes_of_sets, most=st.integers(1, 60))
def test_a_level_is_within_its_time(
    seconds: float, speed: float, made: float, sizes: tuple[int, int], most: int
) -> None:
    level = Level(TAIL.recipe, speed, made)
    found = level.within(seconds, sizes, most, {})
    assert found.seconds(sizes) <= seconds * (1 + 1e-9)
    assert found.recipe.epochs in (0, *EPOCHS)
    assert found.recipe.epochs <= most
    assert found.recipe.views in (1, *VIEWS)
    if found.recipe.views > 1 and most >= WORTHWHILE_WITH_VIEWS:
        assert found.recipe.epochs >= WORTHWHILE_WITH_VIEWS
    more = level.within(1.5 * seconds, sizes, most, {})
    assert more.recipe.views >= found.recipe.views


@pytest.mark.parametrize("chosen", [{}, {"views": 4}, {"views": 4, "epochs": 2}])
def test_views_that_are_none_cost_no_time(chosen: dict[str, object]) -> None:
    """Of the whole network there are none, whatever is chosen for the tail before it."""
    found = replace(WHOLE, views_per_second=0.0).within(210, SIZES, 20, chosen)
    assert (found.recipe.views, found.recipe.epochs) == (1, chosen.get("epochs", 8))


@pytest.mark.parametrize(("most", "views"), [(1, 1), (2, 2), (3, 2), (4, 4), (99, 4)])
def test_no_more_views_than_there_may_be(most: int, views: int) -> None:
    assert replace(TAIL, most_views=most).within(math.inf, SIZES, MOST, {}).recipe.views == views


@pytest.mark.parametrize(
    ("chosen", "views", "epochs"),
    [
        ({"views": 2}, 2, 8),
        ({"views": 9}, 9, 2),  # 80 s of 100 for views
        ({"views": 50}, 50, 0),
        ({"epochs": 17}, 1, 17),
        ({"epochs": 17, "views": 6}, 6, 17),
    ],
)
def test_what_is_chosen_by_hand_stays(chosen: dict[str, object], views: int, epochs: int) -> None:
    recipe = TAIL.within(100, SIZES, MOST, chosen).recipe
    assert (recipe.views, recipe.epochs) == (views, epochs)


def lengths(training: Training) -> list[tuple[str, int, int]]:
    return [(level.recipe.method, level.recipe.epochs, level.recipe.views) for level in training.levels]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1000, [("stages", 4, 1), ("whole", 20, 1)]),
        (210, [("stages", 4, 1), ("whole", 8, 1)]),
        (199, [("stages", 8, 4)]),  # the whole is given up, and the tail has its time, and views
        (75, [("stages", 6, 2)]),
        (35, [("stages", 3, 1)]),
        (29, []),
        (0, []),
    ],
)
def test_settling(seconds: float, expected: list[tuple[str, int, int]]) -> None:
    planned = Training((TAIL, WHOLE), None, ("because",))
    found = settle(planned, seconds, SIZES, {})
    assert lengths(found) == expected
    assert found.settled
    assert found.reasons[0] == "because"
    assert sum(level.seconds(SIZES) for level in found.levels) <= seconds


def test_settled_by_an_earlier_run_it_is_only_shortened() -> None:
    recalled = Training((TAIL.of_length(6, 2),), None, (), settled=True)
    assert settle(recalled, 70, SIZES, {}) is recalled
    assert settle(recalled, 10_000, SIZES, {}) is recalled
    shorter = settle(recalled, 69, SIZES, {})
    assert lengths(shorter) == [("stages", 6, 1)]
    assert lengths(settle(recalled, 30, SIZES, {})) == [("stages", 3, 1)]


def test_views_by_hand_stay_when_time_is_settled() -> None:
    planned = Training((TAIL.of_length(4, 3),), None, ())
    assert lengths(settle(planned, 60, SIZES, {"views": 3})) == [("stages", 4, 3)]
    assert lengths(settle(planned, 1000, SIZES, {"views": 3})) == [("stages", 8, 3)]
    assert lengths(settle(planned, 1, SIZES, {"epochs": 4})) == [("stages", 4, 3)]


@given(
    seconds=st.floats(0, 2000),
    levels=st.lists(st.sampled_from([TAIL, WHOLE]), min_size=1, max_size=2, unique=True),
    made=speeds,
)
def test_settled_levels_fit_the_time_and_are_worth_it(seconds: float, levels: list[Level], made: float) -> None:
    levels = [replace(level, views_per_second=made) for level in levels]
    found = settle(Training(tuple(levels), None, ()), seconds, SIZES, {})
    assert sum(level.seconds(SIZES) for level in found.levels) <= seconds * (1 + 1e-9)
    for level in found.levels:
        assert level.recipe.epochs >= WORTHWHILE_EPOCHS[level.recipe.method]


@pytest.mark.parametrize(
    ("level", "seconds", "epochs"),
    [(WHOLE, 0, 1), (WHOLE, 79, 3), (WHOLE, 210, 8), (TAIL, 0, 1), (TAIL, 25, 2), (TAIL, 45, 4)],
)
def test_a_method_by_hand_keeps_an_epoch_at_least(level: Level, seconds: float, epochs: int) -> None:
    method = {"method": level.recipe.method}
    found = settle(Training((level,), None, ()), seconds, SIZES, method)
    assert lengths(found) == [(level.recipe.method, epochs, 1)]
    assert settle(found, seconds, SIZES, method) == found
    views = {**method, "views": 3} if level is TAIL else method
    assert settle(Training((level,), None, ()), 0, SIZES, views).levels[0].recipe.views == views.get("views", 1)


def test_inputs_that_grow_cost_less_to_train_on_and_as_much_to_validate() -> None:
    level = Level(replace(RECIPES["whole"], epochs=2), 10.0, 1.0, cost=0.5)
    assert level.seconds((100, 30)) == pytest.approx(2 * (0.5 * 100 + 30 / 3) / 10)


def test_in_short() -> None:
    assert in_short(TAIL.of_length(1)) == "1 epoch of the last stages"
    assert in_short(TAIL.of_length(6, 4)) == "6 epochs of the last stages, 4 views of each image"
    assert in_short(WHOLE) == "8 epochs of the whole network"
