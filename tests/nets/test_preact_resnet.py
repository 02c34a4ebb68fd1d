"""Are the pre-activation networks the authors' (He et al. 2016): layers, parameters, order of operations?"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from families import lively_network
from references import noise
from torch import Tensor, nn

from linne.nets.catalogue import entry
from linne.nets.shapes import on_meta

LAYERS = {"preact_resnet110_cifar": 110, "preact_resnet164_cifar": 164, "preact_resnet1001_cifar": 1001}


@pytest.mark.parametrize(("name", "layers"), LAYERS.items())
def test_it_has_the_papers_number_of_layers(name: str, layers: int) -> None:
    """Projections of shortcuts are not counted."""
    modules = on_meta(entry(name), 10, 3).named_modules()
    weighted = [key for key, module in modules if isinstance(module, nn.Conv2d | nn.Linear) and "shortcut" not in key]
    assert len(weighted) == layers


@pytest.mark.parametrize(("name", "n"), [("preact_resnet164_cifar", 18), ("preact_resnet1001_cifar", 111)])
def test_parameters_of_bottlenecks(name: str, n: int) -> None:
    """Each convolution without bias; before each a norm of two values a channel."""
    stem = 9 * 3 * 16
    stages, inputs = 0, 16
    for width in (16, 32, 64):
        outputs = 4 * width
        inner = (2 * width + 9 * width * width) + (2 * width + width * outputs)
        stages += (2 * inputs + inputs * width) + inner + inputs * outputs  # and the projection
        stages += (n - 1) * ((2 * outputs + outputs * width) + inner)
        inputs = outputs
    last = 2 * 256 + 256 * 10 + 10
    found = sum(p.numel() for p in on_meta(entry(name), 10, 3).parameters())
    assert found == stem + stages + last == entry(name).parameters


def test_parameters_of_basic_blocks() -> None:
    n = 18
    stem = 9 * 3 * 16
    first = 2 * n * (2 * 16 + 9 * 16 * 16)
    second = (2 * 16 + 9 * 16 * 32) + (2 * n - 1) * (2 * 32 + 9 * 32 * 32) + 16 * 32
    third = (2 * 32 + 9 * 32 * 64) + (2 * n - 1) * (2 * 64 + 9 * 64 * 64) + 32 * 64
    last = 2 * 64 + 64 * 10 + 10
    row = entry("preact_resnet110_cifar")
    found = sum(p.numel() for p in on_meta(row, 10, 3).parameters())
    assert found == stem + first + second + third + last == row.parameters


def test_without_norms_the_1001_layers_hold_the_papers_10_million() -> None:
    network = on_meta(entry("preact_resnet1001_cifar"), 10, 3)
    norms = sum(p.numel() for m in network.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters())
    assert sum(p.numel() for p in network.parameters()) - norms == 10_178_490


@pytest.mark.parametrize("name", ["preact_resnet110_cifar", "preact_resnet164_cifar"])
@torch.inference_mode()
def test_logits_are_those_of_the_authors_order(name: str) -> None:
    network = lively_network(name)
    images = noise(2, 3, 32, 32)
    expected = _in_the_authors_order(network.state_dict(), images, bottleneck="164" in name)
    torch.testing.assert_close(network(images), expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
    assert expected.std() > 1e-3


def _in_the_authors_order(state: dict[str, Tensor], images: Tensor, bottleneck: bool) -> Tensor:
    """What their Torch code does, in double precision."""
    state = {key: value.double() for key, value in state.items()}

    def active(x: Tensor, norm: str) -> Tensor:
        scale, offset, mean, variance = (
            state[f"{norm}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
        )
        return ((x - mean) / (variance + 1e-5).sqrt() * scale + offset).clamp(min=0)

    def convolved(x: Tensor, conv: str, stride: int = 1) -> Tensor:
        filters = state[f"{conv}.weight"]
        return F.conv2d(x, filters, stride=stride, padding=filters.shape[-1] // 2)

    x = convolved(images.double(), "stem")
    for i in range(3):
        for j in range(18):
            block = f"layers.{i}.{j}"
            stride = 2 if i > 0 and j == 0 else 1
            common = active(x, f"{block}.norm")
            branch = convolved(common, f"{block}.conv1", stride)
            branch = convolved(active(branch, f"{block}.conv2.norm"), f"{block}.conv2.conv")
            if bottleneck:
                branch = convolved(active(branch, f"{block}.conv3.norm"), f"{block}.conv3.conv")
            if j == 0:  # follows the stem, or makes the network wider
                x = common
            if f"{block}.shortcut.weight" in state:
                x = convolved(x, f"{block}.shortcut", stride)
            x = x + branch
    x = active(x, "last.norm").mean(dim=(2, 3))
    return (x @ state["classifier.weight"].T + state["classifier.bias"]).float()


@torch.inference_mode()
def test_nothing_but_additions_lies_between_the_blocks_of_a_stage() -> None:
    """With the branches' last filters zero, each stage hands on what its first block gives."""
    network = lively_network("preact_resnet164_cifar")
    for key, parameter in network.named_parameters():
        if key.endswith("conv3.conv.weight"):
            parameter.zero_()
    x = noise(1, 3, 32, 32)
    outputs = [x := stage(x) for stage in network.stages()[:-1]]
    for first in (1, 19, 37):
        assert all(torch.equal(outputs[first], later) for later in outputs[first + 1 : first + 18])
