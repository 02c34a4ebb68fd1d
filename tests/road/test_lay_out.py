"""Are whole photos shown where their borders tell the classes apart, and is that remembered?"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from images import encode, noise, place
from small_networks import SMALL, OneSize, small_network, small_pixels
from tall_photos import COLOURS, IMAGES, tall_photos

from linne.choose.network import Choice
from linne.choose.sample import take_sample
from linne.embed.backbone import backbone
from linne.index.class_folders import read_folder
from linne.records.index import TRAIN
from linne.records.memory import keep, recalled
from linne.records.progress import Silent
from linne.road import geometry
from linne.road.budget import Clock
from linne.road.geometry import MEMORY, lay_out, trained_in_any_case
from linne.road.look import Material
from linne.split.assign import make_split
from linne.split.groups import groups_by_name


def material_of(folder: Path, pretrained: bool = True) -> Material:
    index = read_folder(folder)
    network, pixels = small_network(classes=3), small_pixels()
    choice = Choice(SMALL, network, pixels, pretrained, "", ("by hand",))
    return Material(index, take_sample(index), choice, backbone(network, pixels) if pretrained else None)


def laid_out(
    material: Material, store: Path, budget: float | None = None, group_by: str | None = None, **chosen: object
) -> Material:
    return lay_out(material, Clock(time.monotonic(), budget), chosen, store, 0, group_by, Silent())


def test_whole_photos_where_the_mark_is_at_the_border(tmp_path: Path) -> None:
    material = material_of(tall_photos(tmp_path / "photos", marked=True))
    found = laid_out(material, tmp_path / "store")
    spec = found.choice.pixels
    assert (spec.fit, spec.height, spec.width) == ("stretch", 96, 32)
    assert found.backbone is not None
    assert found.backbone.pixels == spec
    assert found.backbone.weights == material.backbone.weights
    assert found.choice.reasons[0] == "by hand"
    assert len(found.choice.reasons) == 2


def test_where_nothing_is_gained_the_centre_stays(tmp_path: Path) -> None:
    folder = tall_photos(tmp_path / "photos", marked=False)
    for path in folder.rglob("*.png"):  # the mark is in the centre, and fills it
        picture = noise(180, 60, seed=1)
        picture[60:120] = COLOURS["abc".index(path.parent.name)]
        place(path, encode(picture, "PNG"))
    found = laid_out(material_of(folder), tmp_path / "store")
    assert found.choice.pixels == small_pixels()
    assert len(found.choice.reasons) == 2  # it was looked at


def test_a_decision_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    material = material_of(tall_photos(tmp_path / "photos", marked=True))
    first = laid_out(material, tmp_path / "store")
    (answer,) = recalled(tmp_path / "store" / MEMORY).values()
    assert answer["whole"]
    monkeypatch.setattr(geometry, "_look", None)  # it is not asked again
    again = laid_out(material, tmp_path / "store")
    assert again.choice.pixels == first.choice.pixels
    assert again.choice.reasons == first.choice.reasons
    assert laid_out(material, tmp_path / "store", budget=1e-3).choice.pixels == first.choice.pixels
    with pytest.raises(TypeError):  # another question
        laid_out(material, tmp_path / "store", group_by="g[0-9]+")


@pytest.mark.parametrize("answer", [1, "whole", [], {}, {"whole": True}, {"whole": 1, "reason": ""}])
def test_a_damaged_answer_is_none(tmp_path: Path, answer: object) -> None:
    material = material_of(tall_photos(tmp_path / "photos", marked=True))
    first = laid_out(material, tmp_path / "store")
    (question,) = recalled(tmp_path / "store" / MEMORY)
    keep(tmp_path / "store" / MEMORY, question, answer)
    assert laid_out(material, tmp_path / "store").choice == first.choice


def test_square_photos_and_networks_without_weights_are_left_alone(tmp_path: Path) -> None:
    square = material_of(tall_photos(tmp_path / "square", marked=True, height=60))
    assert laid_out(square, tmp_path / "store") is square
    untrained = material_of(tall_photos(tmp_path / "tall", marked=True), pretrained=False)
    assert laid_out(untrained, tmp_path / "store") is untrained
    assert not (tmp_path / "store").exists()


def test_too_little_time_and_too_few_photos_decide_nothing(tmp_path: Path) -> None:
    material = material_of(tall_photos(tmp_path / "photos", marked=True))
    hurried = laid_out(material, tmp_path / "store", budget=1e-3)
    assert hurried.choice.pixels == material.choice.pixels
    assert len(hurried.choice.reasons) == len(material.choice.reasons) + 1  # that it was not looked at is said
    assert not recalled(tmp_path / "store" / MEMORY)
    assert laid_out(material, tmp_path / "store").choice.pixels.fit == "stretch"
    few = replace(material, index=material.index.take(np.arange(9)))
    assert laid_out(few, tmp_path / "store") is few


def test_a_network_of_one_size_keeps_it(tmp_path: Path) -> None:
    material = material_of(tall_photos(tmp_path / "photos", marked=True))
    network = OneSize(material.choice.network, material.choice.pixels.height)
    rigid = replace(material, choice=replace(material.choice, network=network))
    found = laid_out(rigid, tmp_path / "store")
    assert found.choice.pixels == material.choice.pixels
    assert len(found.choice.reasons) == len(material.choice.reasons) + 1
    assert not (tmp_path / "store").exists()


def test_what_was_chosen_by_hand_goes_with_the_input(tmp_path: Path) -> None:
    material = material_of(tall_photos(tmp_path / "photos", marked=True))
    whole = laid_out(material, tmp_path / "store", first_side=32)
    assert whole.choice.pixels.fit == "stretch"  # 96 x 32
    centre = laid_out(material, tmp_path / "store", first_side=64)
    assert centre.choice.pixels == material.choice.pixels
    assert len(centre.choice.reasons) == len(material.choice.reasons) + 1


@pytest.mark.parametrize("group_by", [None, "g[0-9]+"])
def test_what_decided_is_trained_on(tmp_path: Path, group_by: str | None) -> None:
    index = read_folder(tall_photos(tmp_path, marked=False))
    rows = trained_in_any_case(index, 3, group_by)
    assert np.bincount(index.label[rows]).tolist() == [int(0.4 * IMAGES / 3)] * 3
    groups = np.arange(IMAGES) if group_by is None else groups_by_name(index, group_by)
    split = make_split(index, groups, np.ones(IMAGES, bool), 3, rows)
    if group_by is None:
        assert (split.subset[rows] == TRAIN).all()
    else:  # twelve groups of all classes: few are cut
        assert (split.subset[rows] == TRAIN).mean() > 0.6
    assert np.bincount(split.subset, minlength=4)[2:].min() >= 6


def test_where_folders_say_what_trains_only_that_decides(tmp_path: Path) -> None:
    for subset, images in (("train", 20), ("validation", 10), ("test", 10)):
        for number in range(images):
            place(tmp_path / subset / "ab"[number % 2] / f"{number}.png", encode(noise(30, 30, seed=number), "PNG"))
    index = read_folder(tmp_path)
    rows = trained_in_any_case(index, 0, None)
    assert len(rows) == 8
    assert (index.subset[rows] == TRAIN).all()
