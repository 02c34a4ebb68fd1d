"""Are the patches of images white behind the first layer?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from images import scene
from torch import Tensor, nn
from whiten import whiten_stem

from linne.nets import create
from linne.records.errors import LinneError


def photos(channels: int = 3) -> Tensor:
    """Scenes of 24 pixels, whose neighbours are alike, around zero."""
    pixels = np.stack([scene(24, 24, seed) for seed in range(40)])[..., :channels]
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    return (images - images.mean()) / images.std()


@pytest.mark.parametrize("channels", [1, 3])
def test_outputs_are_white(channels: int) -> None:
    network, images = create("cifarnet", in_channels=channels), photos(channels)
    first = whiten_stem(network, images, floor=0)
    size = 4 * channels
    assert first.out_channels == 2 * size
    with torch.no_grad():
        found = F.conv2d(images, first.weight).transpose(0, 1).flatten(1).double()
    torch.testing.assert_close(found[size:], -found[:size])
    torch.testing.assert_close(
        found[:size] @ found[:size].T / found.shape[1], torch.eye(size).double(), atol=2e-2, rtol=0
    )


def test_the_loudest_direction_of_photos_is_the_mean_of_a_patch() -> None:
    first = whiten_stem(create("cifarnet", in_channels=1), photos(1))
    loudest = first.weight[0].detach().flatten()
    torch.testing.assert_close(loudest / loudest.mean(), torch.ones(4), atol=0.1, rtol=0)
    assert loudest.norm() < first.weight[3].detach().norm()


def test_quiet_directions_are_not_made_loud() -> None:
    images = photos(1).mean(dim=(2, 3), keepdim=True).expand(-1, -1, 8, 8)  # every patch is of one gray
    first = whiten_stem(create("cifarnet", in_channels=1), images)
    norms = first.weight[:4].detach().flatten(1).norm(dim=1)
    assert float(norms[1:].max()) < 1 / 5e-4**0.5 + 1
    assert torch.isfinite(first.weight).all()


def test_fewer_filters_take_the_loudest_and_more_stay() -> None:
    few, many = nn.Conv2d(3, 5, 2), nn.Conv2d(3, 30, 2)
    before = many.weight.detach().clone()
    whitened = whiten_stem(create("cifarnet"), photos()).weight.detach()
    for layer in (few, many):
        network = create("cifarnet")
        network.stem[0] = layer
        assert whiten_stem(network, photos()) is layer
    assert torch.equal(few.weight.detach(), whitened[:5])
    assert torch.equal(many.weight.detach()[:24], whitened)
    assert torch.equal(many.weight.detach()[24:], before[24:])


def test_what_cannot_be_whitened_is_told() -> None:
    with pytest.raises(LinneError) as caught:
        whiten_stem(create("cifarnet"), photos(1))
    assert caught.value.value == (40, 1, 24, 24)
    network = create("cifarnet")
    network.stem[0] = nn.Conv2d(4, 8, 3, groups=2)
    with pytest.raises(LinneError):
        whiten_stem(network, torch.zeros(2, 4, 9, 9))
