"""Is LeNet-5 the paper's, where it does not say that it departs?"""

from __future__ import annotations

import math

import pytest
import torch

from linne.nets import create
from linne.nets.families.lenet5 import ScaledTanh

# Output of each step for one 32 x 32 image (LeCun et al. 1998, figure 2).
SHAPES = [(1, 6, 14, 14), (1, 16, 5, 5), (1, 120, 1, 1)]


def test_layers_have_the_papers_sizes() -> None:
    network = create("lenet5")
    x = torch.zeros(1, 1, 32, 32)
    assert network.c1(x).shape == (1, 6, 28, 28)
    assert network.c3(torch.zeros(1, 6, 14, 14)).shape == (1, 16, 10, 10)
    for stage, shape in zip(network.stages(), SHAPES, strict=True):
        x = stage(x)
        assert x.shape == shape
    assert network.forward_head(x, pre_logits=True).shape == (1, 84)
    assert network.forward_head(x).shape == (1, 10)


def test_tanh_is_scaled_so_that_plus_and_minus_one_stay() -> None:
    tanh = ScaledTanh()
    found = tanh(torch.tensor([0.0, 1.0, -1.0, 100.0], dtype=torch.float64))
    expected = [0.0, 1.7159 * math.tanh(2 / 3), -1.7159 * math.tanh(2 / 3), 1.7159]
    assert found.tolist() == pytest.approx(expected, abs=1e-9)
    assert found[1].item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_weights_start_within_the_papers_bounds(channels: int) -> None:
    torch.manual_seed(0)
    network = create("lenet5", in_channels=channels)
    fan_in = {"c1": 25 * channels, "c3": 150, "c5": 400, "f6": 120, "classifier": 84}
    for name, inputs in fan_in.items():
        layer = getattr(network, name)
        bound = 2.4 / inputs
        assert layer.weight.abs().max() <= bound
        assert layer.weight.abs().max() > 0.9 * bound
        assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.15)
        assert not layer.bias.any()


def test_a_replaced_head_starts_within_them_too() -> None:
    network = create("lenet5")
    network.replace_head(40)
    assert 0.9 * 2.4 / 84 < network.classifier.weight.abs().max() <= 2.4 / 84


def test_the_forward_pass_by_hand() -> None:
    """One pixel's way through every layer, with all weights equal."""
    network = create("lenet5", classes=2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(0.01)
        found = network(torch.ones(1, 1, 32, 32))

    def act(x: float) -> float:
        return 1.7159 * math.tanh(x * 2 / 3)

    c1 = act(25 * 0.01 + 0.01)
    c3 = act(6 * 25 * 0.01 * c1 + 0.01)
    c5 = act(16 * 25 * 0.01 * c3 + 0.01)
    f6 = act(120 * 0.01 * c5 + 0.01)
    assert found[0].tolist() == pytest.approx([84 * 0.01 * f6 + 0.01] * 2, abs=1e-5)
