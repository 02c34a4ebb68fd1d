"""Is the input smaller where the budget does not hold the pass at the full size, and how slow is the pass really?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_networks import SMALL, eager, small_network, small_pixels
from tall_photos import IMAGES, tall_photos
from torch import Tensor, nn
from walked import write_digits

from linne.choose.network import Choice
from linne.choose.sample import take_sample
from linne.embed.backbone import backbone
from linne.embed.embedding import shelf_of
from linne.embed.layer import POOLED
from linne.embed.measure import Pick
from linne.index.class_folders import read_folder
from linne.records.errors import LinneError
from linne.records.progress import Silent
from linne.road import outlook
from linne.road.budget import Clock
from linne.road.input_size import of_a_size_in_time
from linne.road.look import Material, gather
from linne.road.outlook import finish_seconds, least_seconds
from linne.road.trial import TRIED, tried

SIDE = 96


def at(images_per_second: float, pick: Pick) -> Pick:
    return replace(pick, rates=dict.fromkeys(pick.rates, images_per_second))


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    index = read_folder(tall_photos(tmp_path_factory.mktemp("photos"), marked=False))
    network, pixels = small_network(classes=3), small_pixels(SIDE)
    choice = Choice(SMALL, network, pixels, True, "", ("by hand",))
    return Material(index, take_sample(index), choice, backbone(network, pixels))


@pytest.fixture
def slow(material: Material) -> Pick:
    """The pass takes 80 s at the full size."""
    assert material.backbone is not None
    return at(1.0, eager(material.backbone))


def test_the_largest_input_that_the_budget_holds(material: Material, slow: Pick, tmp_path: Path) -> None:
    whole = least_seconds(material, slow, tmp_path)
    assert of_a_size_in_time(material, slow, Clock.starting(None), tmp_path) is material
    assert of_a_size_in_time(material, slow, Clock.starting(whole + 5), tmp_path) is material
    found = of_a_size_in_time(material, slow, Clock.starting(whole / 1.4), tmp_path)
    assert (found.choice.pixels.height, found.choice.pixels.width) == (64, 64)
    assert found.choice.reasons[0] == "by hand"
    assert "64 x 64 pixels, not 96 x 96" in found.choice.reasons[1]
    assert found.backbone is not None
    assert found.backbone.pixels == found.choice.pixels
    assert found.backbone.weights == material.backbone.weights  # type: ignore[union-attr]
    # Of none that the budget holds it is the smallest, and the plan has the last word.
    assert of_a_size_in_time(material, slow, Clock.starting(1.0), tmp_path).choice.pixels.height == 64


def test_what_was_decided_holds(material: Material, slow: Pick, tmp_path: Path) -> None:
    budget = least_seconds(material, slow, tmp_path) / 1.4
    first = of_a_size_in_time(material, slow, Clock.starting(budget), tmp_path)
    faster = of_a_size_in_time(material, at(1000.0, slow), Clock.starting(budget), tmp_path)
    assert faster.choice.pixels == first.choice.pixels != material.choice.pixels
    assert faster.choice.reasons == first.choice.reasons
    other = of_a_size_in_time(material, at(1000.0, slow), Clock.starting(budget + 1), tmp_path)
    assert other is material


class OneSize(nn.Module):
    """As networks with a table of positions are."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[2] != SIDE:
            raise LinneError("the network takes no such input")
        return self.network(images)  # type: ignore[no-any-return]


def test_a_network_that_takes_one_size_keeps_it(material: Material, slow: Pick, tmp_path: Path) -> None:
    rigid = replace(material, choice=replace(material.choice, network=OneSize(material.choice.network)))
    assert of_a_size_in_time(rigid, slow, Clock.starting(20.0), tmp_path) is rigid
    untrained = replace(material, backbone=None)
    assert of_a_size_in_time(untrained, None, Clock.starting(20.0), tmp_path) is untrained


def test_slowness_lengthens_what_is_estimated(material: Material, slow: Pick, tmp_path: Path) -> None:
    twice = replace(material, slowness=2.0, pass_slowness=2.0)
    assert least_seconds(twice, slow, tmp_path) == pytest.approx(2 * least_seconds(material, slow, tmp_path), rel=1e-3)
    assert finish_seconds(twice, slow) == 2 * finish_seconds(material, slow)
    rest = least_seconds(replace(material, slowness=2.0), slow, tmp_path) - least_seconds(material, slow, tmp_path)
    assert finish_seconds(material, slow) < rest < least_seconds(material, slow, tmp_path) - IMAGES


def test_a_trial_tells_how_slow_the_pass_is(
    lenet_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "LOOKING_SECONDS", 0.0)
    seen = gather(write_digits(tmp_path / "digits", 100), None, lenet_weights, None, 0, Silent())
    seen = replace(seen, sample=replace(seen.sample, seconds=0.0))
    assert seen.backbone is not None
    pick = eager(seen.backbone)
    dreamt = tried(seen, at(1e9, pick), tmp_path / "a")  # a network that takes no time at all
    assert dreamt.pass_slowness > 1
    assert dreamt.slowness >= 1
    assert len(shelf_of(seen.backbone, POOLED, tmp_path / "a")) == TRIED
    assert tried(seen, at(1e-3, pick), tmp_path / "b").pass_slowness == 1.0  # it is faster than was measured
    assert tried(dreamt, pick, tmp_path / "a") is dreamt  # what is stored already tells nothing
    few = replace(seen, index=seen.index.take(np.arange(100)))
    assert tried(few, pick, tmp_path / "c") is few
    assert not (tmp_path / "c").exists()
