"""Are plans remembered for the question that was asked, and their words true of what is trained?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linne.fit.levels import Level, Training
from linne.fit.plan import RECIPES
from linne.records.index import TRAIN, Index
from linne.records.plan import Plan
from linne.records.progress import Silent
from linne.records.run import Run
from linne.records.split import Split
from linne.road.budget import Clock
from linne.road.look import Material, gather
from linne.road.outlook import Asked
from linne.road.planning import Planned, plan_run, remember, settle_plan
from linne.road.teacher import Teaching

ASKED = Asked(0, None, {}, None)
TAIL = Level(replace(RECIPES["stages"], frozen_stages=1, epochs=3), 1000.0, 1000.0, 100)
WHOLE = Level(replace(RECIPES["whole"], epochs=20, augment="trivial"), 20.0, 1000.0)  # 12 s an epoch


@pytest.fixture(scope="module")
def material(digits: Path, lenet_weights: Path) -> Material:
    return gather(digits, None, lenet_weights, None, 0, Silent())


def plan_of(material: Material) -> Plan:
    return Plan("lenet5", None, "digest", material.choice.pixels, (), True, 0, None, ("first",))


def settled(
    walked: Path, material: Material, store: Path, levels: tuple[Level, ...], left: float | None, **chosen: Any
) -> tuple[Plan, str]:
    """The plan with its levels, and all that is said last."""
    planned = Planned(material, plan_of(material), Training(levels, None, ("first",)), None, None, None)
    clock, split = Clock.starting(left), Split.read(Run(walked).split)
    assert Index.read(Run(walked).index).fingerprint == material.index.fingerprint
    plan, new = settle_plan(material, clock, replace(ASKED, chosen=chosen, flip=True), planned, split, 0.0, store)
    assert plan.reasons == ("first", *new)
    return plan, "; ".join(new)


def test_how_images_vary_follows_from_the_length_that_there_is_time_for(
    walked: Path, material: Material, tmp_path: Path
) -> None:
    images = len(Split.read(Run(walked).split).rows(TRAIN))
    plan, said = settled(walked, material, tmp_path, (WHOLE,), 13 * (images + 50 / 3) / 20)
    assert [(level.epochs, level.augment) for level in plan.levels] == [(12, "light")]
    assert "seen 12 times" in said
    assert "20 times," not in said
    for left in (1e5, None):
        plan, said = settled(walked, material, tmp_path, (WHOLE,), left)
        assert [(level.epochs, level.augment) for level in plan.levels] == [(20, "trivial")]
        assert "seen 20 times" in said
    assert f"{images / 10:.0f} a class" in said


@pytest.mark.parametrize("left", [None, 1000.0])
@pytest.mark.parametrize(
    ("levels", "chosen", "mirrored", "unused"),
    [
        ((TAIL.of_length(6, 4),), {"views": 4}, True, ""),
        ((TAIL.of_length(6, 4),), {"views": 4, "augment": "trivial"}, True, "augment"),
        ((TAIL,), {"views": 1}, False, ""),
        ((TAIL,), {"views": 1, "augment": "trivial", "first_side": 64}, False, "augment, first_side"),
        ((replace(TAIL, most_views=1),), {"augment": "none"}, False, "augment"),
        ((), {"mix": True, "lanes": 2}, False, "lanes, mix"),
        ((TAIL, WHOLE), {"mix": True, "lanes": 2, "last_side": 64}, True, ""),
        ((WHOLE,), {}, True, ""),
        ((replace(WHOLE, recipe=replace(WHOLE.recipe, augment="none")),), {"augment": "none"}, False, ""),
    ],
)
def test_what_is_said_of_varying_is_true(
    walked: Path,
    material: Material,
    tmp_path: Path,
    levels: tuple[Level, ...],
    chosen: dict[str, Any],
    mirrored: bool,
    unused: str,
    left: float | None,
) -> None:
    _, said = settled(walked, material, tmp_path, levels, left, **chosen)
    assert ("mirroring" in said) == mirrored
    assert ("of no use" in said) == bool(unused)
    assert f": {unused}, " in said or not unused
    assert ("whichever" in said) == bool(levels)


def test_views_that_there_turns_out_to_be_time_for_are_told_of(
    walked: Path, material: Material, tmp_path: Path
) -> None:
    plan, said = settled(walked, material, tmp_path, (TAIL,), 1000.0, augment="trivial")
    assert plan.levels[0].views == 4
    assert "mirroring" in said


def test_the_method_by_hand_is_trained_in_no_time(walked: Path, material: Material, tmp_path: Path) -> None:
    for level in (WHOLE, TAIL):
        plan, _ = settled(walked, material, tmp_path, (level,), 0.01, method=level.recipe.method)
        assert [(made.method, made.epochs) for made in plan.levels] == [(level.recipe.method, 1)]


def test_a_plan_is_remembered_for_the_same_question_alone(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Training((TAIL.of_length(7, 2),), None, ("known",))
    clock, asked = Clock.starting(None), replace(ASKED, chosen={"method": "stages"})
    remember(material, clock, asked, known, tmp_path)
    assert plan_run(material, clock, asked, tmp_path).training == known
    teaching = Teaching(tmp_path, material.choice.network, material.choice.pixels, list(range(10)), "digest")
    assert plan_run(material, clock, replace(asked, teaching=teaching), tmp_path).training != known
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "one")
    monkeypatch.setenv("WORLD_SIZE", "2")
    beside_others = plan_run(material, clock, asked, tmp_path)
    assert [level.views for level in beside_others.plan.levels] == [1]  # however long it may take
