"""Is a plan done again as it was: the same groups, the same teacher, in the time there is?"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from walked import write_digits

import linne
from linne.embed.measure import eager_way, onnx_way
from linne.records.bundle import Bundle
from linne.records.errors import BudgetError, LinneError
from linne.records.index import Index
from linne.records.memory import keep, recalled
from linne.records.plan import Plan
from linne.records.progress import Silent
from linne.records.recipe import Recipe
from linne.records.run import Run
from linne.records.split import Split
from linne.road.budget import Clock
from linne.road.contender import make_contender
from linne.road.given import plan_of
from linne.road.look import gather
from linne.road.outlook import Asked
from linne.road.request import Request
from linne.road.teacher import read_teacher, refuse_another_teacher

TENS = r"^(\d\d\d)\d"
PROBE = {"method": "probe"}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_digits(tmp_path_factory.mktemp("few") / "photos", 20, 3)


@pytest.fixture(scope="module")
def grouped(few: Path, lenet_weights: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of groups, planned by hand."""
    out = tmp_path_factory.mktemp("grouped")
    return linne.fit(few, weights=lenet_weights, budget=None, group_by=TENS, recipe=PROBE, cache=store, out=out)


def asked_with(photos: Path, store: Path, plan: Path | None, weights: Path | None) -> Request:
    given = None if weights is None else str(weights)
    return Request(photos, None, given, None, None, None, {}, None, plan, None, 0, store, 0)


def test_groups_are_those_of_the_plan(
    grouped: Run, few: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    assert Plan.read(grouped.plan).group_by == TENS
    again = linne.fit(few, weights=lenet_weights, budget=None, plan=grouped.plan, cache=store, out=tmp_path)
    assert again.facts["fingerprints"]["split"] == grouped.facts["fingerprints"]["split"]
    assert again.facts["asked"]["group_by"] == TENS
    assert Plan.read(again.plan) == Plan.read(grouped.plan)
    index, split = Index.read(again.index), Split.read(again.split)
    tens = np.array([path.rsplit("/", 1)[-1][:3] for path in index.paths.to_pylist()])
    assert all(len(np.unique(split.subset[tens == ten])) == 1 for ten in np.unique(tens))


def test_a_search_plans_with_its_groups(few: Path, store: Path) -> None:
    material = gather(few, None, None, None, 0, Silent())
    contender = make_contender("it", material, Asked(0, None, {}, None), TENS, store, 0, None, Silent())
    assert contender.plan.group_by == TENS


@pytest.mark.parametrize(
    "given",
    [
        {"group_by": "a"},
        {"recipe": {"epochs": 2}},
        {"augment": "light"},
        {"mix": False},
        {"flip": True},
        {"seed": 1},
        {"network": "mobilenet_v2"},
    ],
)
def test_what_the_plan_has_decided_otherwise_is_refused(
    given: dict[str, Any], grouped: Run, few: Path, lenet_weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(LinneError) as caught:
        linne.fit(few, weights=lenet_weights, plan=grouped.plan, cache=tmp_path / "c", out=tmp_path / "o", **given)
    assert next(iter(given.get("recipe", given))) in str(caught.value.value)
    assert not list(tmp_path.iterdir())


def test_what_it_has_decided_alike_is_taken(
    grouped: Run, few: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    same = {"group_by": TENS, "flip": Plan.read(grouped.plan).flip, "seed": 0, "network": "lenet5"}
    again = linne.fit(few, weights=lenet_weights, plan=grouped.plan, cache=store, out=tmp_path, **same)
    assert again.facts["fingerprints"]["split"] == grouped.facts["fingerprints"]["split"]
    assert Plan.read(again.plan).budget is None  # a plan has no end unless it is given one


def test_a_plan_without_groups_or_of_another_schema(grouped: Run, tmp_path: Path) -> None:
    value = json.loads(grouped.plan.read_text())
    for change in (
        {"group_by": 3},
        {"teacher": 1},
        {"teacher_fingerprint": None},
        {"schema": 1},
        {"levels": {}},
        {"reasons": "x"},
    ):
        (tmp_path / "plan.json").write_text(json.dumps({**value, **change}))
        with pytest.raises(LinneError):
            Plan.read(tmp_path / "plan.json")


@pytest.mark.parametrize(
    ("level", "unused"),
    [
        ({"method": "stages", "frozen_stages": 1}, ("first_side", 32)),
        ({"method": "stages", "frozen_stages": 1}, ("last_side", 32)),
        ({"method": "stages", "frozen_stages": 1}, ("augment", "none")),
        ({"method": "stages", "frozen_stages": 1}, ("mix", True)),
        ({"method": "stages", "frozen_stages": 1}, ("teacher_share", 0.3)),
        ({"method": "whole"}, ("views", 2)),
        ({"method": "whole"}, ("frozen_stages", 1)),
        ({"method": "whole"}, ("teacher_temperature", 3.0)),  # there is no teacher
        ({"method": "whole", "last_side": 32}, ("first_side", 33)),  # it would shrink
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(
    grouped: Run, tmp_path: Path, level: dict[str, Any], unused: tuple[str, Any]
) -> None:
    value, path = json.loads(grouped.plan.read_text()), tmp_path / "plan.json"
    path.write_text(json.dumps({**value, "levels": [level]}))
    assert Plan.read(path).levels[0].method == level["method"]
    path.write_text(json.dumps({**value, "levels": [{**level, unused[0]: unused[1]}]}))
    with pytest.raises(LinneError) as caught:
        Plan.read(path)
    assert (caught.value.file, caught.value.value) == (str(path), unused[1])
    assert caught.value.problem.startswith(unused[0])


def test_several_processes_refuse_a_plan_of_several_views_before_they_embed(
    grouped: Run, few: Path, lenet_weights: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    level = Recipe("stages", frozen_stages=1, views=2)
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    replace(Plan.read(grouped.plan), levels=(level,)).write(run.plan)
    material = gather(few, None, lenet_weights, None, 0, Silent())
    given = (asked_with(few, store, None, lenet_weights), {}, material, Clock.starting(None), Asked(0, None, {}, None))
    planned = plan_of(run, *given)
    assert planned is not None
    assert planned.plan.levels == (level,)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "one")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(LinneError) as caught:
        plan_of(run, *given)
    assert (caught.value.file, caught.value.value) == (str(run.plan), 2)


def test_what_the_network_has_not_is_refused_in_a_plan(
    grouped: Run, few: Path, lenet_weights: Path, tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    replace(Plan.read(grouped.plan), levels=(Recipe("whole", drop_path=0.3),)).write(path)
    with pytest.raises(LinneError) as caught:
        linne.fit(few, weights=lenet_weights, plan=path, cache=tmp_path / "c", out=tmp_path / "o")
    assert (caught.value.file, caught.value.value) == (str(path), 0.3)


@pytest.mark.parametrize("side", ["pixels", "first_side", "last_side"])
def test_an_edited_plan_has_inputs_that_the_network_takes(
    grouped: Run, few: Path, lenet_weights: Path, tmp_path: Path, side: str
) -> None:
    plan = Plan.read(grouped.plan)
    level = Recipe("whole", epochs=1, **({} if side == "pixels" else {side: 20}))  # type: ignore[arg-type]
    pixels = replace(plan.pixels, height=20, width=20) if side == "pixels" else plan.pixels
    replace(plan, levels=(level,), pixels=pixels).write(tmp_path / "plan.json")
    with pytest.raises(LinneError) as caught:
        linne.fit(few, weights=lenet_weights, plan=tmp_path / "plan.json", cache=tmp_path / "c", out=tmp_path / "o")
    assert (caught.value.file, caught.value.value) == (str(tmp_path / "plan.json"), 20)


def test_a_budget_that_does_not_hold_the_plan_is_refused(
    grouped: Run, few: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    with pytest.raises(BudgetError):
        linne.fit(few, weights=lenet_weights, budget="1s", plan=grouped.plan, cache=store, out=out)
    assert not out.exists()


def test_from_scratch_the_time_after_training_is_measured(few: Path, store: Path, tmp_path: Path) -> None:
    first = linne.fit(few, budget=None, recipe={"epochs": 1}, cache=store, out=tmp_path)
    material = gather(few, None, None, None, 0, Silent())
    request, asked = asked_with(few, store, first.plan, None), Asked(0, None, {}, None)
    for budget, measured in ((60.0, True), (None, False)):
        planned = plan_of(Run(tmp_path / "new"), request, {}, material, Clock.starting(budget), asked)
        assert planned is not None
        assert (planned.whole_rate is not None) is measured
        assert planned.plan.budget == budget
    # What goes on is not measured again.
    again = plan_of(first, request, {}, material, Clock.starting(60), asked)
    assert again is not None
    assert again.whole_rate is None


def test_a_run_that_goes_on_embeds_as_it_did(few: Path, lenet_weights: Path, grouped: Run, tmp_path: Path) -> None:
    material = gather(few, None, lenet_weights, None, 0, Silent())
    request, asked = asked_with(few, tmp_path, None, lenet_weights), Asked(0, None, {}, None)

    def way_after(name: str | None) -> Any:
        before = {} if name is None else {"backend": {"name": name}}
        planned = plan_of(grouped, request, before, material, Clock.starting(None), asked)
        assert planned is not None
        assert planned.backend is not None
        return planned.backend

    assert way_after(None).way == onnx_way()
    memory = tmp_path / "backends.json"
    ((question, known),) = recalled(memory).items()
    assert known["rates"]
    keep(memory, question, {"rates": {onnx_way().name: 1000.0, eager_way().name: 1.0, "eager bfloat16 4x1": 0.0}})
    other = way_after(eager_way().name)
    assert other.way == eager_way()
    pixels = material.choice.pixels
    batch = np.zeros((other.way.batch, pixels.channels, pixels.height, pixels.width), np.float32)
    expected = way_after(None).run(np.repeat(batch[:1], onnx_way().batch, 0))[0]
    np.testing.assert_allclose(other.run(batch)[0][0], expected[0], atol=1e-4)
    assert way_after("eager bfloat16 4x1").way == onnx_way()  # does not run here any more


def test_a_teacher_is_read_before_anything_else(few: Path, lenet_weights: Path, grouped: Run, tmp_path: Path) -> None:
    with pytest.raises(LinneError):
        linne.fit(few, weights=lenet_weights, teacher=tmp_path / "nowhere", cache=tmp_path / "c", out=tmp_path / "o")
    assert not list(tmp_path.iterdir())


def test_a_teacher_is_the_plans(grouped: Run, few: Path, lenet_weights: Path, store: Path, tmp_path: Path) -> None:
    recipe = {"method": "whole", "epochs": 1, "batch_size": 16}
    asked: dict[str, Any] = {"weights": lenet_weights, "budget": None, "cache": store, "out": tmp_path / "runs"}
    moved, other = tmp_path / "moved", tmp_path / "other"
    first = linne.fit(few, recipe=recipe, teacher=grouped.folder, **asked)
    plan = Plan.read(first.plan)
    assert plan.teacher == str(grouped.folder)
    assert not any("not asked" in reason for reason in plan.reasons)
    again = linne.fit(few, plan=first.plan, **asked)
    assert again.facts["asked"]["teacher"] == str(grouped.folder)
    assert again.facts["chosen"] == first.facts["chosen"]
    shutil.copytree(grouped.folder, moved)
    assert Plan.read(linne.fit(few, plan=first.plan, teacher=moved, **asked).plan).teacher == str(moved)

    shutil.copytree(grouped.folder, other)
    weights = load_file(Run(other).checkpoint)
    (name, *_) = weights
    header = {"format": "pt"}
    save_file({**weights, name: weights[name] + 1}, Run(other).checkpoint, header)
    with pytest.raises(LinneError) as caught:
        linne.fit(few, plan=first.plan, teacher=other, **asked)
    assert caught.value.file == str(other)
    bare = linne.fit(few, recipe={"method": "probe"}, **asked)
    with pytest.raises(LinneError):
        linne.fit(few, plan=bare.plan, teacher=moved, **asked)
    assert len(list((tmp_path / "runs").iterdir())) == 4
    with pytest.raises(LinneError):
        refuse_another_teacher(plan, None)
    refuse_another_teacher(plan, read_teacher(moved, Bundle.read(grouped.bundle).labels))


def test_a_teacher_that_is_not_asked_is_told_of(
    grouped: Run, few: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    run = linne.fit(
        few, weights=lenet_weights, budget=None, recipe=PROBE, teacher=grouped.folder, cache=store, out=tmp_path
    )
    assert any("teacher" in reason for reason in Plan.read(run.plan).reasons)
