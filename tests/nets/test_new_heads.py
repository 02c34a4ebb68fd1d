"""Is a new head where the network is, and of its kind?"""

from __future__ import annotations

import pytest
import torch
from families import cheapest
from torch import nn

from linne.nets import create
from linne.nets.catalogue import entry
from linne.nets.shapes import on_meta
from linne.records.errors import LinneError


@pytest.mark.parametrize("name", [*cheapest(), "googlenet_aux", "inception_v3_aux", "googlenet_2014_aux"])
def test_on_the_device_and_of_the_dtype_of_the_old_one(name: str) -> None:
    network = on_meta(entry(name), 10, 3).to(torch.bfloat16)
    network.replace_head(7)
    assert type(network.classifier) is nn.Linear
    assert {(tensor.device.type, tensor.dtype) for tensor in network.parameters()} == {("meta", torch.bfloat16)}


def test_values_are_drawn_in_half_precision_too() -> None:
    network = create("vit_tiny_16", classes=3).to(torch.bfloat16)
    network.replace_head(7)
    weight = network.classifier.weight
    assert weight.dtype is torch.bfloat16
    assert 0.015 < weight.detach().float().std() < 0.025


def test_a_network_of_timm_without_branches_refuses_drop_path() -> None:
    with pytest.raises(LinneError):
        create("timm:vgg11", drop_path=0.1)
    assert create("timm:vit_tiny_patch16_224", drop_path=0.0).training is False
