"""Does the choice follow from what is at hand?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from images import encode, noise, place, scene
from PIL import Image
from safetensors.torch import save_file
from small_networks import SMALL, same_state, small_network, small_pixels

import linne.choose.sample
from linne.choose.network import SCRATCH_SIDE, choose
from linne.choose.sample import Sample, take_sample
from linne.index.class_folders import read_folder
from linne.nets import create
from linne.nets.catalogue import entry
from linne.nets.weights import write_weights
from linne.nets.weights.locate import Located
from linne.records.errors import DataError, LinneError, WeightsError


def sample(side: int, colour: bool = True) -> Sample:
    return Sample((Image.fromarray(scene(side, side)),), side, colour, 0.0, ())


@pytest.mark.parametrize(("side", "name"), [(8, "lenet5"), (64, "lenet5"), (65, "mobilenet_v2"), (900, "mobilenet_v2")])
def test_without_weights_the_size_decides(side: int, name: str) -> None:
    choice = choose(sample(side), 5, None, None, 0)
    assert choice.name == name
    assert not choice.pretrained
    assert choice.network.classifier.out_features == 5
    assert max(choice.pixels.height, choice.pixels.width) <= SCRATCH_SIDE


@pytest.mark.parametrize("name", ["lenet5", SMALL])
def test_a_name_decides_before_the_size(name: str) -> None:
    assert choose(sample(900), 5, None, name, 0).name == name


@pytest.mark.parametrize(("colour", "channels"), [(False, 1), (True, 3)])
def test_lenet_reads_colour_where_there_is_some(colour: bool, channels: int) -> None:
    choice = choose(sample(28, colour), 5, None, None, 0)
    assert choice.pixels.channels == channels
    assert (choice.pixels.mean, choice.pixels.std) == ((0.5,) * channels, (0.5,) * channels)
    assert choice.network(torch.zeros(1, channels, 32, 32)).shape == (1, 5)


@pytest.mark.parametrize(("name", "side"), [("mobilenet_v2", 128), ("timm:vit_tiny_patch16_224", 224)])
def test_a_network_of_one_size_keeps_it_from_a_random_start(name: str, side: int) -> None:
    if ":" in name:
        pytest.importorskip("timm")
    choice = choose(sample(400), 5, None, name, 0)
    assert (choice.pixels.height, choice.pixels.width) == (side, side)
    assert choice.network(torch.zeros(1, 3, side, side)).shape == (1, 5)


def test_mobilenet_reads_gray_pictures_as_colour() -> None:
    choice = choose(sample(400, colour=False), 5, None, None, 0)
    assert choice.pixels.channels == 3
    assert choice.network(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


def test_the_seed_decides_the_weights() -> None:
    states = [choose(sample(28), 5, None, None, seed).network.state_dict() for seed in (0, 0, 1)]
    assert same_state(states[0], states[1])
    assert not same_state(states[0], states[2])


def test_an_unknown_name_is_told_with_and_without_weights(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.safetensors", small_network(), SMALL, small_pixels())
    for weights in (None, Located(tmp_path / "w.safetensors", None)):
        with pytest.raises(LinneError) as caught:
            choose(sample(28), 5, weights, "resnet_9000", 0)
        assert caught.value.value == "resnet_9000"


def test_weights_decide_before_the_size(tmp_path: Path) -> None:
    network = small_network(classes=10)
    write_weights(tmp_path / "w.safetensors", network, SMALL, small_pixels())
    choice = choose(sample(28), 5, Located(tmp_path / "w.safetensors", None), None, 0)
    assert (choice.name, choice.pretrained, choice.pixels) == (SMALL, True, small_pixels())
    assert same_state(choice.network.state_dict(), network.state_dict())
    assert not choice.network.training


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.safetensors", small_network(), SMALL, small_pixels())
    with pytest.raises(WeightsError):
        choose(sample(28), 5, Located(tmp_path / "w.safetensors", None), "mobilenet_v2", 0)


@pytest.mark.parametrize(("name", "channels"), [("lenet5", 3), (SMALL, 1)])
def test_weights_that_say_nothing_get_pixels_that_they_can_read(name: str, channels: int, tmp_path: Path) -> None:
    save_file(create(name, in_channels=channels).state_dict(), tmp_path / "w.safetensors")
    choice = choose(sample(400), 5, Located(tmp_path / "w.safetensors", None), None, 0)
    pixels = choice.pixels
    assert pixels.channels == channels
    assert pixels.mean == pytest.approx((np.mean(entry(name).pixels.mean),) * channels)
    assert choice.network(torch.zeros(1, channels, pixels.height, pixels.width)).shape[0] == 1


def test_weights_for_two_channels_are_refused(tmp_path: Path) -> None:
    save_file(create("lenet5", in_channels=2).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(WeightsError):
        choose(sample(28), 5, Located(tmp_path / "w.safetensors", None), None, 0)


def photos(root: Path, contents: list[bytes]) -> Path:
    for number, content in enumerate(contents):
        place(root / ("a", "b")[number % 2] / f"{number:03d}.png", content)
    return root


def test_a_sample_tells_size_and_colour(tmp_path: Path) -> None:
    gray = [encode(noise(40 + number, 90, 1, seed=number), "PNG") for number in range(5)]
    found = take_sample(read_folder(photos(tmp_path / "gray", gray)))
    assert (found.shorter_side, found.colour, len(found.pictures), len(found.digests)) == (42, False, 5, 5)
    assert 0 < found.reading < found.seconds
    one_more = take_sample(read_folder(photos(tmp_path / "one", [*gray, encode(scene(40, 40), "PNG")])))
    assert one_more.colour


def test_a_sample_is_spread_over_the_index_and_so_is_its_first_half(tmp_path: Path) -> None:
    for label in range(4):
        for number in range(50):
            place(tmp_path / str(label) / f"{number}.png", encode(noise(8, 8 + label, seed=number), "PNG"))
    found = take_sample(read_folder(tmp_path))
    widths = [picture.width for picture in found.pictures]
    assert len(widths) == 64
    assert set(widths) == set(widths[:32]) == {8, 9, 10, 11}
    again = take_sample(read_folder(tmp_path))
    assert [picture.width for picture in again.pictures] == widths


def test_large_pictures_are_not_all_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = photos(tmp_path, [encode(noise(20, 20, seed=number), "PNG") for number in range(12)])
    monkeypatch.setattr(linne.choose.sample, "HELD_BYTES", 5 * 3 * 20 * 20)
    for cores in (1, 2, 16):
        monkeypatch.setattr(linne.choose.sample, "available_cores", lambda cores=cores: cores)
        assert len(take_sample(read_folder(folder)).pictures) == 5


def test_unreadable_pictures_are_passed_over(tmp_path: Path) -> None:
    whole = encode(noise(20, 20), "PNG")
    found = take_sample(read_folder(photos(tmp_path, [b"nothing", whole, b"junk", whole[:200]])))
    assert len(found.pictures) == 1
    assert len(found.digests) == 4


def test_a_sample_of_unreadable_pictures_is_an_error(tmp_path: Path) -> None:
    folder = photos(tmp_path, [b"nothing %d" % number for number in range(4)])
    with pytest.raises(DataError) as caught:
        take_sample(read_folder(folder))
    assert caught.value.file == str(folder)
