"""Is the input smaller where the budget does not hold the pass at the full size?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_networks import SMALL, OneSize, eager, small_network, small_pixels
from tall_photos import IMAGES, tall_photos

from linne.choose.network import Choice
from linne.choose.sample import take_sample
from linne.embed.backbone import backbone
from linne.embed.embedding import embed
from linne.embed.measure import Pick
from linne.index.class_folders import read_folder
from linne.records.errors import BudgetError
from linne.records.memory import keep, recalled
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Silent
from linne.road import input_size
from linne.road.budget import Clock
from linne.road.input_size import MEMORY, of_a_size_in_time
from linne.road.look import Material
from linne.road.outlook import Asked, least_seconds
from linne.road.planning import MEMORY as PLANS
from linne.road.planning import plan_run

SIDE = 224
WHOLE = 1.1 * IMAGES
"""Seconds of budget that hold the pass through the network at the full size, and nothing else."""


def at(images_per_second: float, pick: Pick) -> Pick:
    return replace(pick, rates=dict.fromkeys(pick.rates, images_per_second))


def material_of(folder: Path, pixels: PixelSpec) -> Material:
    index, network = read_folder(folder), small_network(classes=3)
    choice = Choice(SMALL, network, pixels, True, "", ("by hand",))
    return Material(index, take_sample(index), choice, backbone(network, pixels))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tall_photos(tmp_path_factory.mktemp("photos"), marked=False)


@pytest.fixture(scope="module")
def material(photos: Path) -> Material:
    return material_of(photos, small_pixels(SIDE))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network takes an image a second at the full size, and as much less at a smaller one as that has pixels."""
    let_it_take(monkeypatch, 1.0)


def let_it_take(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    def backend_of(seen: Material, *_: object) -> Pick | None:
        if seen.backbone is None:
            return None
        pixels = seen.choice.pixels
        return at(SIDE**2 / (pixels.height * pixels.width * seconds), eager(seen.backbone))

    monkeypatch.setattr(input_size, "backend_of", backend_of)


def seen_in(material: Material, clock: Clock, store: Path, **chosen: Any) -> Material:
    """As it is where the plan does not refuse the budget."""
    sized = of_a_size_in_time(material, clock, chosen, store)
    assert (sized.backend is None) == (sized.material.backbone is None)
    sized.remember(store)
    return sized.material


def side_in(material: Material, budget: float, store: Path) -> int:
    return seen_in(material, Clock.starting(budget), store).choice.pixels.height


def least(material: Material, seconds: float, store: Path, slowness: float = 1.0) -> float:
    assert material.backbone is not None
    return least_seconds(material, at(1 / seconds, eager(material.backbone)), store, slowness)


@pytest.mark.usefixtures("slow")
def test_the_largest_input_that_the_budget_holds(material: Material, tmp_path: Path) -> None:
    assert seen_in(material, Clock.starting(None), tmp_path) is material
    whole = least(material, 1.0, tmp_path)
    assert seen_in(material, Clock.starting(whole + 2), tmp_path) is material
    rest = least(material, 1e-9, tmp_path)
    sides = [side_in(material, rest + 2 + s * (whole - rest), tmp_path) for s in (0.75, 0.6, 0.4, 0.2)]
    assert sides == [192, 160, 128, 96]  # 73%, 51%, 33%, 18% of the pixels
    assert side_in(material, rest + 2, tmp_path) == 96


def test_where_all_else_takes_too_long_the_full_size_is_not_measured(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int] = []

    def backend_of(seen: Material, *_: object) -> None:
        measured.append(seen.choice.pixels.height)

    monkeypatch.setattr(input_size, "backend_of", backend_of)
    sized = of_a_size_in_time(material, Clock.starting(1.0), {}, tmp_path)
    assert measured == [96] == [sized.material.choice.pixels.height]


@pytest.mark.usefixtures("slow")
def test_of_a_smaller_input_the_plan_says_why(material: Material, tmp_path: Path) -> None:
    found = seen_in(material, Clock.starting(0.5 * WHOLE), tmp_path)
    spec = found.choice.pixels
    assert found.choice.reasons[0] == "by hand"
    assert f"{spec.width} x {spec.height} pixels, not 224 x 224" in found.choice.reasons[1]
    assert found.backbone is not None
    assert found.backbone.pixels == spec
    assert found.backbone.weights == material.backbone.weights  # type: ignore[union-attr]


@pytest.mark.usefixtures("slow")
def test_oblong_inputs_keep_their_shape(photos: Path, tmp_path: Path) -> None:
    tall = material_of(photos, replace(small_pixels(192), height=256, resize=256, fit="stretch"))
    spec = seen_in(tall, Clock.starting(1.0), tmp_path).choice.pixels
    assert (spec.height, spec.width) == (128, 96)


def test_what_was_decided_holds(material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Clock.starting(0.6 * WHOLE)
    let_it_take(monkeypatch, 1.0)
    first = seen_in(material, budget, tmp_path)
    assert first.choice.pixels != material.choice.pixels
    let_it_take(monkeypatch, 1e-3)
    again = seen_in(material, budget, tmp_path)
    assert again.choice.pixels == first.choice.pixels
    assert again.choice.reasons == first.choice.reasons
    other = replace(budget, budget=0.6 * WHOLE + 1)
    assert seen_in(material, other, tmp_path) is material
    rest, whole = (least(material, seconds, tmp_path) for seconds in (1e-9, 1.0))
    let_it_take(monkeypatch, (1.05 * (0.6 * WHOLE + 1) - rest) / (whole - rest))  # a little late, which is borne
    assert seen_in(material, other, tmp_path) is material
    let_it_take(monkeypatch, 1.0)  # which is not
    assert side_in(material, 0.6 * WHOLE + 1, tmp_path) < SIDE
    let_it_take(monkeypatch, 1e-3)
    for question in recalled(tmp_path / MEMORY):
        keep(tmp_path / MEMORY, question, "much too large")
    assert seen_in(material, budget, tmp_path) is material


@pytest.mark.usefixtures("slow")
def test_a_budget_that_is_refused_is_no_decision(material: Material, tmp_path: Path) -> None:
    asked = Asked(0, None, {"method": "probe"}, None)
    with pytest.raises(BudgetError):
        plan_run(material, Clock.starting(1.0), asked, tmp_path)
    assert not recalled(tmp_path / MEMORY)
    side = plan_run(material, Clock.starting(0.5 * WHOLE), asked, tmp_path).plan.pixels.height
    assert list(recalled(tmp_path / MEMORY).values()) == [side]


def test_what_is_decided_on_a_busy_machine_is_for_that_moment(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(0, None, {"method": "probe"}, None)
    clock = Clock.starting(WHOLE)
    let_it_take(monkeypatch, 1.0)
    assert plan_run(material, replace(clock, slowness=2.0), asked, tmp_path).plan.pixels.height < SIDE
    assert not recalled(tmp_path / MEMORY)
    assert not recalled(tmp_path / PLANS)
    let_it_take(monkeypatch, 0.1)
    assert plan_run(material, clock, asked, tmp_path).plan.pixels.height == SIDE
    assert recalled(tmp_path / PLANS)
    let_it_take(monkeypatch, 1.0)
    assert plan_run(material, replace(clock, slowness=2.0), asked, tmp_path).plan.pixels.height < SIDE


def test_what_is_stored_at_the_full_size_is_not_computed_anew_at_a_smaller_one(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_it_take(monkeypatch, 0.05)
    assert side_in(material, 1.0, tmp_path / "empty") == 96
    assert material.backbone is not None
    embed(material.index, material.backbone, tmp_path / "warm", Silent(), backend=eager(material.backbone))
    rest = least(material, 0.05, tmp_path / "warm")
    assert rest + 2 < least(material, 0.05, tmp_path / "empty")
    for budget in (1.0, rest, rest + 2):
        assert side_in(material, budget, tmp_path / "warm") == SIDE


@pytest.mark.usefixtures("slow")
def test_what_has_one_size_keeps_it(material: Material, tmp_path: Path) -> None:
    short = Clock.starting(20.0)
    rigid = replace(material, choice=replace(material.choice, network=OneSize(material.choice.network, SIDE)))
    assert seen_in(rigid, short, tmp_path) is rigid
    untrained = replace(material, backbone=None)
    assert seen_in(untrained, short, tmp_path) is untrained
    for name in ("first_side", "last_side"):  # valid at the full size, perhaps not below
        assert seen_in(material, short, tmp_path, **{name: 160}) is material


@pytest.mark.usefixtures("slow")
def test_a_busy_machine_is_reckoned_with(material: Material, tmp_path: Path) -> None:
    alone, busy = (least(material, 1.0, tmp_path, slowness) for slowness in (1.0, 2.0))
    rest = least(material, 1e-9, tmp_path)  # the network's own speed is measured as it is
    assert busy == pytest.approx(alone + rest, rel=1e-3)
    for slowness, side in ((1.0, SIDE), (2.0, 192)):
        clock = replace(Clock.starting(alone + rest / 2), slowness=slowness)
        assert seen_in(material, clock, tmp_path / str(slowness)).choice.pixels.height == side


@pytest.mark.usefixtures("slow")
def test_a_plan_is_made_for_the_smaller_input(material: Material, tmp_path: Path) -> None:
    asked = Asked(0, None, {"method": "probe"}, None)
    planned = plan_run(material, replace(Clock.starting(WHOLE), slowness=2.0), asked, tmp_path)
    assert planned.plan.pixels == planned.material.choice.pixels
    assert planned.plan.pixels.height < SIDE
    assert planned.backend is not None
    assert planned.backend.rate == pytest.approx((SIDE / planned.plan.pixels.height) ** 2)
    assert any("not 224 x 224" in reason for reason in planned.plan.reasons)
    with pytest.raises(BudgetError):
        plan_run(material, Clock.starting(1.0), asked, tmp_path)
