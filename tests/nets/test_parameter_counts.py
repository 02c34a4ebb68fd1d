"""Does each network have the size that it is known for?"""

from __future__ import annotations

import pytest

from linne.nets import create, names
from linne.nets.catalogue import entry

# MobileNetV2: what torchvision's and timm's networks hold at 1000 classes.
# LeNet-5: 6 x 26, 16 x 151, 120 x 401, 84 x 121 and 10 x 85.
PUBLISHED = {
    "lenet5": 156 + 2_416 + 48_120 + 10_164 + 850,
    "mobilenet_v2_035": 1_677_128,
    "mobilenet_v2_050": 1_968_680,
    "mobilenet_v2_075": 2_636_424,
    "mobilenet_v2": 3_504_872,
    "mobilenet_v2_140": 6_108_776,
}


@pytest.mark.parametrize("name", names())
def test_the_catalogue_counts_what_is_built(name: str) -> None:
    network = create(name)
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == entry(name).parameters


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_catalogue_says_what_was_published(name: str) -> None:
    assert entry(name).parameters == PUBLISHED[name]
