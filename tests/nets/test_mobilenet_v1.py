"""Is MobileNetV1 that of its paper at widths that nobody else has, by table 1 alone?"""

from __future__ import annotations

import pytest
import torch
from families import lively_network
from references import noise, settle
from torch import Tensor, nn

from linne.nets import create

# Depthwise and pointwise convolutions of table 1 at width 1: input channels, output channels, stride.
TABLE = [
    (32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1),
    (512, 512, 1), (512, 512, 1), (512, 512, 1), (512, 512, 1), (512, 1024, 2), (1024, 1024, 1),
]  # fmt: skip

# Weights of the stem, and of a depthwise and a pointwise convolution of each block; no bias anywhere.
CONVOLUTIONS = {
    "mobilenet_v1": 864
    + 288 + 2_048 + 576 + 8_192 + 1_152 + 16_384 + 1_152 + 32_768 + 2_304 + 65_536 + 2_304 + 131_072
    + 5 * (4_608 + 262_144) + 4_608 + 524_288 + 9_216 + 1_048_576,
    "mobilenet_v1_075": 648
    + 216 + 1_152 + 432 + 4_608 + 864 + 9_216 + 864 + 18_432 + 1_728 + 36_864 + 1_728 + 73_728
    + 5 * (3_456 + 147_456) + 3_456 + 294_912 + 6_912 + 589_824,
    "mobilenet_v1_050": 432
    + 144 + 512 + 288 + 2_048 + 576 + 4_096 + 576 + 8_192 + 1_152 + 16_384 + 1_152 + 32_768
    + 5 * (2_304 + 65_536) + 2_304 + 131_072 + 4_608 + 262_144,
    "mobilenet_v1_025": 216
    + 72 + 128 + 144 + 512 + 288 + 1_024 + 288 + 2_048 + 576 + 4_096 + 576 + 8_192
    + 5 * (1_152 + 16_384) + 1_152 + 32_768 + 2_304 + 65_536,
}  # fmt: skip

# Channels that are normalised: those of the stem, then behind the two convolutions of each block.
NORMALISED = (
    32
    + (32 + 64) + (64 + 128) + (128 + 128) + (128 + 256) + (256 + 256) + (256 + 512)
    + 5 * (512 + 512) + (512 + 1024) + (1024 + 1024)
)  # fmt: skip

WIDTHS = {"mobilenet_v1_025": 0.25, "mobilenet_v1_050": 0.5, "mobilenet_v1_075": 0.75, "mobilenet_v1": 1.0}


@pytest.mark.parametrize("name", WIDTHS)
def test_parameters_by_hand(name: str) -> None:
    """A scale and an offset for each normalised channel; 1000 classes with biases on 1024 features."""
    width = WIDTHS[name]
    by_hand = CONVOLUTIONS[name] + 2 * int(width * NORMALISED) + int(width * 1024) * 1000 + 1000
    assert sum(p.numel() for p in create(name).parameters()) == by_hand


def test_the_convolutions_are_those_of_the_authors_list() -> None:
    """Their code prints these sums, without norms and classifier, for the widths 1 and 0.75."""
    assert CONVOLUTIONS["mobilenet_v1"] == 3_185_088
    assert CONVOLUTIONS["mobilenet_v1_075"] == 1_800_144


@pytest.mark.parametrize("name", WIDTHS)
def test_the_forward_pass_by_the_table(name: str) -> None:
    """Tap by tap and channel by channel, from the weights in their order."""
    network = lively_network(name, classes=5).double()
    settle(network, noise(4, 3, 64, 64, seed=3).double())
    images = noise(2, 3, 37, 64).double()
    with torch.inference_mode():
        expected = _by_the_table(network, images, WIDTHS[name])
        found = network(images)
    assert (expected[0] - expected[1]).abs().max() > 0.01 * expected.abs().max()
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def _by_the_table(network: nn.Module, images: Tensor, width: float) -> Tensor:
    tensors = iter(value for value in network.state_dict().values() if value.is_floating_point())

    def norm_and_relu6(x: Tensor) -> Tensor:
        scale, offset, mean, variance = (next(tensors)[:, None, None] for _ in range(4))
        return ((x - mean) / (variance + 1e-5) ** 0.5 * scale + offset).clamp(0, 6)

    stem = next(tensors)
    assert stem.shape == (int(32 * width), 3, 3, 3)
    x = norm_and_relu6(sum(_tap(images, i, j, 2, stem[:, :, i, j]) for i in range(3) for j in range(3)))
    for inputs, outputs, stride in TABLE:
        filters = next(tensors)
        assert filters.shape == (int(inputs * width), 1, 3, 3)
        taps = (_tap(x, i, j, stride, torch.diag(filters[:, 0, i, j])) for i in range(3) for j in range(3))
        x = norm_and_relu6(sum(taps))
        mixture = next(tensors)
        assert mixture.shape == (int(outputs * width), int(inputs * width), 1, 1)
        x = norm_and_relu6(torch.einsum("oi,bihw->bohw", mixture[:, :, 0, 0], x))
    weight, bias = next(tensors), next(tensors)
    assert next(tensors, None) is None
    return x.mean((2, 3)) @ weight.T + bias


def _tap(x: Tensor, i: int, j: int, stride: int, weights: Tensor) -> Tensor:
    """What one place of a 3x3 filter adds, ``(outputs, inputs)`` weights, with one zero on every side."""
    rows, columns = x.shape[2:]
    framed = x.new_zeros(*x.shape[:2], rows + 2, columns + 2)
    framed[:, :, 1:-1, 1:-1] = x
    return torch.einsum("oi,bihw->bohw", weights, framed[:, :, i : i + rows : stride, j : j + columns : stride])
