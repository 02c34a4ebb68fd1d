"""LeViT: biases by distance, two heads, gradients of one image."""

from __future__ import annotations

import pytest
import torch
from families import images_for, lively_network
from references import noise
from torch import nn

from linne.nets import create
from linne.nets.families import levit
from linne.records.errors import LinneError


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [4, 7])
def test_the_bias_of_two_places_is_that_of_their_distance(side: int, stride: int) -> None:
    """Section 4.3: of the absolute differences of rows and of columns; a shrunken map keeps every second place."""
    table = noise(3, side, side)
    queries = [(y, x) for y in range(0, side, stride) for x in range(0, side, stride)]
    keys = [(y, x) for y in range(side) for x in range(side)]
    expected = torch.stack([torch.stack([table[:, abs(a - y), abs(b - x)] for y, x in keys], 1) for a, b in queries], 1)
    assert torch.equal(levit._biases(table, side, side, stride), expected[None])


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(9, 5), (6, 14), (1, 3)])
def test_biases_of_other_maps_are_resampled_about_distance_zero(height: int, width: int, stride: int) -> None:
    table = noise(1, 7, 7)
    mirrored = torch.stack([torch.stack([table[0, abs(y), abs(x)] for x in range(-6, 7)]) for y in range(-6, 7)])
    wanted = (2 * height - 1, 2 * width - 1)
    offsets = nn.functional.interpolate(mirrored[None, None], wanted, mode="bicubic", antialias=True)[0, 0]
    found = levit._biases(table, height, width, stride)[0, 0]
    queries = [(y, x) for y in range(0, height, stride) for x in range(0, width, stride)]
    assert found.shape == (len(queries), height * width)
    for (a, b), row in zip(queries, found.reshape(-1, height, width), strict=True):
        for y in range(height):
            for x in range(width):
                assert abs(row[y, x] - offsets[y - a + height - 1, x - b + width - 1]) < 1e-5


def test_parameters_by_hand() -> None:
    """LeViT-128S, section 5.2 and table 1: widths 128, 256, 384; heads 4, 6, 8; depths 2, 3, 4; keys of 16."""
    stem = sum(9 * a * b + 2 * b for a, b in [(3, 16), (16, 32), (32, 64), (64, 128)])

    def linear(inputs: int, outputs: int) -> int:
        return inputs * outputs + 2 * outputs

    def mlp(width: int) -> int:
        return linear(width, 2 * width) + linear(2 * width, width)

    def block(width: int, heads: int, places: int) -> int:
        inner = heads * 2 * 16
        return linear(width, 2 * inner) + linear(inner, width) + heads * places + mlp(width)

    def shrinking(inputs: int, outputs: int, places: int) -> int:
        heads = inputs // 16
        values = heads * 4 * 16
        attention = linear(inputs, heads * 16) + linear(inputs, heads * 16 + values) + linear(values, outputs)
        return attention + heads * places + mlp(outputs)

    body = 2 * block(128, 4, 14 * 14) + 3 * block(256, 6, 7 * 7) + 4 * block(384, 8, 4 * 4)
    between = shrinking(128, 256, 14 * 14) + shrinking(256, 384, 7 * 7)
    heads = 2 * (2 * 384 + 384 * 1000 + 1000)
    assert stem + body + between + heads == 7_777_058
    assert sum(p.numel() for p in create("levit_128s").parameters()) == 7_777_058


@torch.inference_mode()
def test_logits_are_the_mean_of_two_heads_which_training_sees_apart() -> None:
    network = lively_network("levit_128s", classes=5)
    images = images_for("levit_128s")
    features = network.forward_features(images)
    label, teacher = network.forward_heads(features)
    pooled = features.mean((1, 2))
    for logits, part in ((label, "label"), (teacher, "teacher")):
        norm, linear = network.norm.get_submodule(part), network.classifier.get_submodule(part)
        torch.testing.assert_close(logits, linear(norm(pooled)))
    torch.testing.assert_close(network(images), (label + teacher) / 2)
    network.replace_head(3)
    with pytest.raises(LinneError):
        network.forward_heads(features)


def test_the_gradients_of_one_image_are_those_of_a_batch() -> None:
    """PyTorch 2.15 gets them wrong where one image's map is flattened and transposed right behind a batch norm."""
    network = lively_network("levit_128s", classes=5).double()
    images = images_for("levit_128s", 1).double()
    found = []
    for repeats in (1, 2):
        network.zero_grad()
        (network(images.repeat(repeats, 1, 1, 1)) * noise(1, 5)).sum().backward()
        found.append({name: p.grad / repeats for name, p in network.named_parameters() if p.grad is not None})
    torch.testing.assert_close(found[0], found[1])
