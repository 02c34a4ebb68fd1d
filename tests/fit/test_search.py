"""Does a search begin with the plan, learn, give up what is poor, and go on as if it had not stopped?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.fit.plan import RECIPES
from linne.fit.space import Axis, Number, Pick, at, axes, planned
from linne.records.recipe import Recipe
from linne.records.trials import Trial

pytest.importorskip("optuna")

from linne.fit.search import AT_RANDOM, COMPARED_WITH, MOST_STARTS, Search

GROWING = replace(RECIPES["whole"], first_side=128, last_side=192)
PLANNED = {
    "stages": (RECIPES["stages"],),
    "whole": (GROWING,),
    "both": (RECIPES["stages"], GROWING),
    "scratch": (RECIPES["scratch"],),
}


def space(network: str, method: str) -> tuple[Axis, ...]:
    return axes(PLANNED[method], False, ())


def score(values: dict[str, object]) -> float:
    """Best at a learning rate of a third of what is planned, with SGD."""
    return 0.8 - abs(float(values["learning_rate"]) + 0.5) / 4 + 0.1 * (values["optimiser"] == "sgd")  # type: ignore[arg-type]


def searched(number: int, trials: list[Trial] | None = None, seed: int = 0) -> list[Trial]:
    tried = list(trials or [])
    search = Search({"a": ["both", "stages"], "b": ["stages"]}, space, seed, tried)
    for _ in range(number):
        running = search.next()
        value, state = score(running.trial.values), "complete"
        for eighth in range(1, 9):
            if running.is_poor(value * (0.5 + eighth / 16), eighth / 8):
                state = "pruned"
                break
        ended = replace(
            running.trial,
            state=state,
            score=value if state == "complete" else None,
            reported=tuple(running.reported),
        )
        running.end(ended)
        tried.append(ended)
    return tried


def test_the_plan_of_each_network_comes_first() -> None:
    trials = searched(4)
    assert [(t.network, t.method, t.as_planned) for t in trials[:2]] == [("a", "both", True), ("b", "stages", True)]
    assert trials[0].values == planned(space("a", "both"))
    assert not trials[2].as_planned
    assert [t.number for t in trials] == [0, 1, 2, 3]


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_a_search_goes_on_as_if_it_had_not_stopped(cut: int) -> None:
    whole = searched(12)
    assert searched(12 - cut, whole[:cut]) == whole


def test_another_seed_draws_others() -> None:
    assert searched(4)[2:] != searched(4, seed=1)[2:]


def test_poor_trials_are_given_up_and_the_plan_is_not() -> None:
    trials = searched(25)
    pruned = [trial for trial in trials if trial.state == "pruned"]
    assert pruned
    assert all(2 <= trial.reported[-1][0] < 8 for trial in pruned)
    assert not any(trial.as_planned for trial in pruned)
    assert all(trial.state == "complete" for trial in trials[:COMPARED_WITH])
    assert max(t.score for t in trials if t.score) >= max(t.score for t in trials[:2] if t.score)


def test_it_finds_more_than_chance_does() -> None:
    first, later = searched(40)[:AT_RANDOM], searched(40)[20:]

    def mean(trials: list[Trial]) -> float:
        return sum(score(trial.values) for trial in trials) / len(trials)

    assert mean(later) > mean(first)


def test_a_plan_that_was_stopped_is_tried_again_and_not_for_ever() -> None:
    stopped: list[Trial] = []
    for number in range(MOST_STARTS):
        trial = Search({"a": ["both"]}, space, 0, stopped).next().trial
        assert (trial.number, trial.as_planned) == (number, True)
        stopped.append(replace(trial, state="stopped"))
    assert not Search({"a": ["both"]}, space, 0, stopped).next().trial.as_planned


@pytest.mark.parametrize("method", list(PLANNED))
def test_the_planned_place_is_the_plan(method: str) -> None:
    assert at(PLANNED[method], planned(space("a", method))) == PLANNED[method]


@pytest.mark.parametrize(("picked", "sides"), [("planned", (128, 192)), ("whole", (None, None))])
def test_inputs_grow_as_planned_or_not_at_all(picked: str, sides: tuple[int | None, int | None]) -> None:
    (axis,) = (axis for axis in space("a", "both") if axis.name == "first_side")
    assert isinstance(axis, Pick)
    assert (axis.options, axis.planned) == (("planned", "whole"), "planned")
    first, last = at(PLANNED["both"], {"first_side": picked})
    assert (last.first_side, last.last_side) == sides
    assert (first.first_side, first.last_side) == (None, None)


@pytest.mark.parametrize("fixed", ["first_side", "last_side"])
def test_sides_are_searched_only_where_the_plan_has_some_of_its_own(fixed: str) -> None:
    def names(level: Recipe, fixed: tuple[str, ...] = ()) -> set[str]:
        return {axis.name for axis in axes((level,), False, fixed)}

    assert "first_side" in names(GROWING)
    assert "first_side" not in names(RECIPES["whole"])  # a network of one size
    assert "first_side" not in names(RECIPES["scratch"])
    assert "first_side" not in names(GROWING, (fixed,))


def test_labels_of_adjusted_logits_are_not_smoothed() -> None:
    def names(level: Recipe) -> set[str]:
        return {axis.name for axis in axes((level,), False, ())}

    assert "label_smoothing" in names(RECIPES["stages"])
    assert "label_smoothing" not in names(replace(RECIPES["stages"], balance="logits"))


@given(st.data(), st.sampled_from(list(PLANNED)), st.booleans())
def test_every_place_is_a_recipe(data: st.DataObject, method: str, has_drop_path: bool) -> None:
    levels = PLANNED[method]
    found = axes(levels, has_drop_path, ("label_smoothing",))
    values: dict[str, float | str] = {}
    for axis in found:
        values[axis.name] = data.draw(
            st.floats(axis.low, axis.high) if isinstance(axis, Number) else st.sampled_from(axis.options)
        )
    for recipe, level in zip(at(levels, values), levels, strict=True):
        assert Recipe.from_json(recipe.to_json()) == recipe
        assert recipe.label_smoothing == level.label_smoothing
        assert (recipe.method, recipe.epochs) == (level.method, level.epochs)
        assert (recipe.first_side, recipe.last_side) in {(None, None), (level.first_side, level.last_side)}
        assert recipe.unused(taught=False) == {}
