"""Is the normalisation that weights were trained with found out?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from images import scene
from PIL import Image
from small_networks import REAL_WEIGHTS, small_network, small_pixels
from torch import nn

from linne.choose.normalisation import CANDIDATES, find_normalisation
from linne.choose.sample import Sample
from linne.nets import create
from linne.nets.catalogue import entry
from linne.pixels.prepare import normalise, pixels_of
from linne.records.pixel_spec import PixelSpec


def sample(start: int, count: int = 32) -> Sample:
    pictures = tuple(Image.fromarray(scene(80, 100, seed=start + number)) for number in range(count))
    return Sample(pictures, 80, True, 0.0, ())


def calibrated(pixels: PixelSpec, seed: int) -> nn.Module:
    """A network whose batch norms remember other images than those that it is asked with."""
    network = small_network(seed=seed)
    images = np.stack([pixels_of(picture, pixels) for picture in sample(1000, 48).pictures])
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the plain mean over batches
    with torch.no_grad():
        network.train()(torch.from_numpy(normalise(images, pixels)))
    return network.eval()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CANDIDATES)
def test_a_planted_normalisation_is_found(name: str, seed: int) -> None:
    mean, std = CANDIDATES[name]
    pixels = replace(small_pixels(), mean=mean, std=std)
    found = find_normalisation(calibrated(pixels, seed), small_pixels(), sample(0))
    assert (found.pixels.mean, found.pixels.std) == (mean, std)
    assert replace(found.pixels, mean=mean, std=std) == pixels
    assert name in found.reason


@pytest.mark.parametrize("pictures", [1, 2])
def test_a_picture_or_two_suffice(pictures: int) -> None:
    mean, std = CANDIDATES["[-1, 1]"]
    network = calibrated(replace(small_pixels(), mean=mean, std=std), 0)
    assert find_normalisation(network, small_pixels(), sample(0, pictures)).pixels.mean == mean


def test_asking_leaves_the_network_alone() -> None:
    network = small_network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    find_normalisation(network, small_pixels(), sample(0, 4))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(module._forward_pre_hooks for module in network.modules())
    assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 10)  # not stopped at the first batch norm any more


def test_without_a_batch_norm_it_is_as_published() -> None:
    pixels = replace(entry("lenet5").pixels, channels=3, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert find_normalisation(create("lenet5", in_channels=3), pixels, sample(0, 2)).pixels == pixels


def test_a_gray_network_is_as_published() -> None:
    pixels = replace(small_pixels(), channels=1, mean=(0.4,), std=(0.2,))
    assert find_normalisation(create("mobilenet_v2_035", in_channels=1), pixels, sample(0, 2)).pixels == pixels


def test_a_batch_norm_that_remembers_nothing_is_not_asked() -> None:
    network = small_network()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats, module.running_mean, module.running_var = False, None, None
    assert find_normalisation(network, small_pixels(), sample(0, 2)).pixels == small_pixels()


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_WEIGHTS.is_file(), reason="the weights do not lie beside the checkout")
def test_the_real_weights_want_minus_one_to_one() -> None:
    photos = sorted((REAL_WEIGHTS.parents[1] / "data" / "clothing" / "validation").rglob("*.jpg"))[::12]
    assert photos
    pictures = tuple(Image.open(photo).convert("RGB") for photo in photos)
    network = create("mobilenet_v2", weights=REAL_WEIGHTS)
    found = find_normalisation(network, entry("mobilenet_v2").pixels, Sample(pictures, 400, True, 0.0, ()))
    assert (found.pixels.mean, found.pixels.std) == CANDIDATES["[-1, 1]"]
