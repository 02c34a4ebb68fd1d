"""Is AlexNet of 2012 the paper's: two towers, response normalisation, parameters, numbers?"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from families import lively_network
from references import noise
from torch import Tensor, nn

from linne.nets import create
from linne.nets.catalogue import entry


def test_the_parameters_are_the_papers() -> None:
    """Figure 2: each tower has half of the maps, and the second, fourth and fifth convolution see their own only."""
    layers = (
        2 * (48 * 3 * 11 * 11 + 48),
        2 * (128 * 48 * 5 * 5 + 128),
        2 * (192 * 256 * 3 * 3 + 192),
        2 * (192 * 192 * 3 * 3 + 192),
        2 * (128 * 192 * 3 * 3 + 128),
        4096 * (6 * 6 * 256) + 4096,
        4096 * 4096 + 4096,
        1000 * 4096 + 1000,
    )
    assert layers == (34_944, 307_456, 885_120, 663_936, 442_624, 37_752_832, 16_781_312, 4_097_000)
    found = [m for m in create("alexnet_2012").modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert tuple(sum(p.numel() for p in module.parameters()) for module in found) == layers
    assert sum(layers) == entry("alexnet_2012").parameters == 60_965_224


@torch.inference_mode()
def test_logits_are_those_of_two_towers() -> None:
    network = lively_network("alexnet_2012", classes=10)
    image = noise(1, 3, 227, 227)
    expected, vector = _by_the_text(list(network.state_dict().values()), image)
    torch.testing.assert_close(network(image).double(), expected, rtol=1e-4, atol=1e-4)
    found = network.forward_head(network.forward_features(image), pre_logits=True)
    torch.testing.assert_close(found.double(), vector, rtol=1e-4, atol=1e-4)
    assert expected.std() > 1e-3


def _by_the_text(tensors: list[Tensor], image: Tensor) -> tuple[Tensor, Tensor]:
    """Take weights and biases in the order of the layers and compute section 3.5 with two towers."""
    values = [value.double() for value in tensors]
    layers = [(values[i], values[i + 1]) for i in range(0, 16, 2)]
    image = image.double()
    towers = [F.conv2d(image, *_half(layers[0], tower), stride=4) for tower in range(2)]
    assert towers[0].shape == (1, 48, 55, 55)
    towers = _pool(_normalise([x.relu() for x in towers]))
    towers = [F.conv2d(x, *_half(layers[1], tower), padding=2) for tower, x in enumerate(towers)]
    towers = _pool(_normalise([x.relu() for x in towers]))
    both = torch.cat(towers, dim=1)  # the third convolution sees the maps of both
    assert both.shape == (1, 256, 13, 13)
    towers = [F.conv2d(both, *_half(layers[2], tower), padding=1).relu() for tower in range(2)]
    towers = [F.conv2d(x, *_half(layers[3], tower), padding=1).relu() for tower, x in enumerate(towers)]
    towers = [F.conv2d(x, *_half(layers[4], tower), padding=1).relu() for tower, x in enumerate(towers)]
    x = torch.cat(_pool(towers), dim=1)
    assert x.shape == (1, 256, 6, 6)
    x = x.flatten(1)
    for weight, bias in layers[5:7]:
        x = (x @ weight.T + bias).relu()
    return x @ layers[7][0].T + layers[7][1], x


def _half(layer: tuple[Tensor, Tensor], tower: int) -> tuple[Tensor, Tensor]:
    weight, bias = layer
    return weight.chunk(2)[tower], bias.chunk(2)[tower]


def _pool(towers: list[Tensor]) -> list[Tensor]:
    """Windows of 3, 2 apart (section 3.4)."""
    return [x.unfold(2, 3, 2).unfold(3, 3, 2).amax((4, 5)) for x in towers]


def _normalise(towers: list[Tensor]) -> list[Tensor]:
    """The formula of section 3.3, map by map, over all maps of the layer."""
    a = torch.cat(towers, dim=1)
    k, n, alpha, beta = 2, 5, 1e-4, 0.75
    maps = a.shape[1]
    b = torch.empty_like(a)
    for i in range(maps):
        first, last = max(0, i - n // 2), min(maps - 1, i + n // 2)
        total = sum(a[:, j] ** 2 for j in range(first, last + 1))
        b[:, i] = a[:, i] / (k + alpha * total) ** beta
    return list(b.chunk(2, dim=1))


def test_normalisation_matters_and_is_the_formula() -> None:
    """At values where alpha times the sum is large, so that its constants are seen."""
    norm = create("alexnet_2012").layers[0].norm
    x = 300 * noise(1, 12, 3, 3).abs()
    expected = torch.cat(_normalise(list(x.double().chunk(2, dim=1))), dim=1)
    torch.testing.assert_close(norm(x).double(), expected, rtol=1e-5, atol=1e-5)
    assert (expected < 0.3 * x).any()


def test_weights_and_biases_start_as_section_5_says() -> None:
    torch.manual_seed(0)
    network = create("alexnet_2012", classes=50)
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [layer.bias.unique().tolist() for layer in layers] == [
        [0.0],
        [1.0],
        [0.0],
        [1.0],
        [1.0],
        [1.0],
        [1.0],
        [0.0],
    ]
    for layer in layers:
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.05)
    network.replace_head(20)
    assert network.classifier.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not network.classifier.bias.any()


def test_both_hidden_layers_are_dropped_from() -> None:
    """Half of their outputs, in training only (section 4.2)."""
    network = lively_network("alexnet_2012", classes=10).train()
    dropped = []
    for module in (network.head.dropout6, network.dropout):
        module.register_forward_hook(lambda _, inputs, output: dropped.append((inputs[0], output)))
    with torch.no_grad():
        network(noise(1, 3, 67, 67))
    assert len(dropped) == 2
    for before, after in dropped:
        kept = after[before > 0] > 0
        assert 0.4 < kept.float().mean() < 0.6
        torch.testing.assert_close(after[after > 0], 2 * before[after > 0])
