"""Are views what torchvision cuts, and is their average the mean?"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_networks import SIDE, small_backbone, small_pixels
from torchvision.transforms.v2 import functional

from linne.embed.backbone import Features
from linne.embed.views import over_views
from linne.records.errors import LinneError


@pytest.mark.parametrize("views", [2, 10])
def test_features_are_the_mean_over_views(views: int) -> None:
    features = Features(small_backbone().network)
    module, pixels = over_views(features, replace(small_pixels(), resize=SIDE + 9), views)
    side = SIDE if views == 2 else SIDE + 9
    assert (pixels.height, pixels.width, pixels.resize) == (side, side, SIDE + 9)
    images = torch.randn(3, 3, side, side, generator=torch.Generator().manual_seed(0))
    cut = functional.ten_crop(images, [SIDE, SIDE]) if views == 10 else (images, functional.hflip(images))
    with torch.inference_mode():
        expected = torch.stack([features(view)[0] for view in cut]).mean(0)
        torch.testing.assert_close(module(images)[0], expected, rtol=1e-4, atol=1e-5)


def test_one_view_is_the_network_itself() -> None:
    features, pixels = Features(small_backbone().network), small_pixels()
    assert over_views(features, pixels, 1) == (features, pixels)


@pytest.mark.parametrize(
    ("views", "changed"), [(10, {}), (10, {"fit": "stretch", "resize": 80}), (3, {}), (0, {}), (-2, {})]
)
def test_views_that_there_are_not(views: int, changed: dict[str, object]) -> None:
    with pytest.raises(LinneError) as told:
        over_views(Features(small_backbone().network), replace(small_pixels(), **changed), views)
    assert told.value.remedy
