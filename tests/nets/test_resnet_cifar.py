"""Are the networks for 32x32 images the paper's (He et al. 2015, section 4.2): layers, parameters, numbers?"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from families import lively_network
from references import noise
from torch import Tensor, nn

from linne.nets import create
from linne.nets.catalogue import entry
from linne.nets.families.resnet_cifar import Shortcut
from linne.nets.shapes import on_meta
from linne.records.errors import LinneError

DEPTHS = {20: 3, 32: 5, 44: 7, 56: 9, 110: 18, 1202: 200}
"""Layers, and the paper's n."""

TWINS = [(f"resnet{layers}_cifar", n) for layers, n in DEPTHS.items()]
TWINS += [(f"plain{layers}_cifar", n) for layers, n in DEPTHS.items() if layers < 1202]


@pytest.mark.parametrize(("name", "n"), TWINS)
def test_layers_and_parameters_are_the_papers(name: str, n: int) -> None:
    """6n + 2 layers; shortcuts have no parameters."""
    network = on_meta(entry(name), 10, 3)
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in network.modules()) == 6 * n + 2
    first = 9 * 3 * 16 + 2 * 16
    stages = (
        2 * n * (9 * 16 * 16 + 2 * 16),
        (9 * 16 * 32 + 2 * 32) + (2 * n - 1) * (9 * 32 * 32 + 2 * 32),
        (9 * 32 * 64 + 2 * 64) + (2 * n - 1) * (9 * 64 * 64 + 2 * 64),
    )
    last = 64 * 10 + 10
    assert sum(p.numel() for p in network.parameters()) == first + sum(stages) + last == entry(name).parameters


def test_the_tables_counts_are_the_papers() -> None:
    """Table 6, in millions."""
    told = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7, 1202: 19.4}
    for layers, millions in told.items():
        digits = 1 if layers > 100 else 2
        assert round(entry(f"resnet{layers}_cifar").parameters / 1e6, digits) == pytest.approx(millions, abs=0.011)


@pytest.mark.parametrize("name", ["resnet20_cifar", "plain20_cifar", "resnet32_cifar"])
@torch.inference_mode()
def test_logits_are_those_of_the_papers_text(name: str) -> None:
    network = lively_network(name)
    images = noise(2, 3, 32, 32)
    expected = _by_the_text(list(network.state_dict().items()), images, shortcuts=name.startswith("resnet"))
    torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 1e-3


def _by_the_text(tensors: list[tuple[str, Tensor]], images: Tensor, shortcuts: bool) -> Tensor:
    """Take the tensors in the order of the layers and compute what section 4.2 says, in double precision."""
    values = [value.double() for key, value in tensors if not key.endswith("num_batches_tracked")]
    bias, weight = values.pop(), values.pop()
    layers = [values[i : i + 5] for i in range(0, len(values), 5)]

    def normalised(x: Tensor, layer: list[Tensor], stride: int) -> Tensor:
        filters, scale, offset, mean, variance = layer
        x = F.conv2d(x, filters, stride=stride, padding=1)
        x = (x - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()
        return x * scale[:, None, None] + offset[:, None, None]

    x = normalised(images.double(), layers.pop(0), 1).clamp(min=0)
    while layers:
        stride = 2 if layers[0][0].shape[0] > layers[0][0].shape[1] else 1
        y = normalised(x, layers.pop(0), stride).clamp(min=0)
        y = normalised(y, layers.pop(0), 1)
        if shortcuts:
            kept = x[:, :, ::stride, ::stride]
            y[:, : kept.shape[1]] += kept
        x = y.clamp(min=0)
    return (x.mean(dim=(2, 3)) @ weight.T + bias).float()


def test_a_shortcut_subsamples_and_adds_channels_of_zeros() -> None:
    x = torch.arange(2 * 2 * 5 * 4, dtype=torch.float32).reshape(2, 2, 5, 4)
    found = Shortcut(2, 2)(x)
    assert found.shape == (2, 4, 3, 2)
    assert torch.equal(found[:, :2], x[:, :, [0, 2, 4]][:, :, :, [0, 2]])
    assert not found[:, 2:].any()


def test_maps_are_32_then_16_then_8_places() -> None:
    network = create("resnet20_cifar")
    x, shapes = torch.zeros(1, 3, 32, 32), []
    for stage in network.stages():
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes == [(16, 32, 32)] * 4 + [(32, 16, 16)] * 3 + [(64, 8, 8)] * 3


def test_a_plain_network_has_no_branch_that_could_be_left_out() -> None:
    with pytest.raises(LinneError):
        create("plain20_cifar", drop_path=0.1)
