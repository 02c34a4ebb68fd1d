"""CoAtNet and MaxViT on maps of any size: biases by offset, whole windows, and what attends to what."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from families import lively_network
from references import noise, references
from torch import Tensor

from linne.nets.blocks.relative_attention import RelativeAttention
from linne.nets.families.maxvit import PartBlock

OTHER = (96, 160)
"""Height and width in pixels: an oblong image, of another size than the published one."""


def resized(table: Tensor, height: int, width: int) -> Tensor:
    """``(heads, h, w)`` for maps of another size."""
    size = (2 * height - 1, 2 * width - 1)
    return F.interpolate(table[None], size, mode="bicubic", antialias=True)[0]


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(3, 3), (4, 2), (1, 5)])
def test_biases_are_the_tables_at_each_offset(height: int, width: int) -> None:
    attention = RelativeAttention(64, 64, 64, 3)
    table = resized(attention.bias_table, height, width)
    places = [(i, j) for i in range(height) for j in range(width)]
    expected = torch.tensor(
        [
            [
                [float(table[head, down - i + height - 1, across - j + width - 1]) for down, across in places]
                for i, j in places
            ]
            for head in range(2)
        ]
    )
    torch.testing.assert_close(attention.biases(height, width)[0], expected)


def test_attention_is_the_softmax_of_content_and_offset() -> None:
    attention = RelativeAttention(32, 64, 96, 2).eval()
    with torch.no_grad():
        attention.bias_table.normal_()
        x = noise(1, 2, 2, 32)
        found = attention(x).flatten(0, 2)
        query, key, value = attention.qkv(x).reshape(4, 3, 2, 32).unbind(1)  # places, heads, channels
        heads = []
        for head in range(2):
            logits = query[:, head] @ key[:, head].T / 32**0.5 + attention.biases(2, 2)[0, head]
            heads.append(logits.softmax(1) @ value[:, head])
        torch.testing.assert_close(found, attention.project(torch.cat(heads, 1)), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
@pytest.mark.slow
@pytest.mark.parametrize("name", ["coatnet_0", "coatnet_0_rw", "maxvit_tiny"])
def test_another_size_is_theirs_built_for_it_with_resampled_tables(name: str) -> None:
    reference = next(r for r in references() if r.name == name)
    theirs = reference.build()
    ours, state = reference.ours(theirs), theirs.state_dict()
    other = reference.build(img_size=OTHER)
    for key, wanted in other.state_dict().items():
        if key.endswith("relative_position_bias_table"):
            state[key] = _theirs_resized(state[key], *other.get_submodule(key.rpartition(".")[0]).window_size)
            assert state[key].shape == wanted.shape
    other.load_state_dict(state)
    images = noise(2, 3, *OTHER)
    expected = other(images)
    assert (ours(images) - expected).abs().max() <= 1e-4 * max(1.0, float(expected.abs().max()))


def _theirs_resized(table: Tensor, height: int, width: int) -> Tensor:
    if table.ndim == 3:
        return resized(table, height, width)
    side = int(table.shape[0] ** 0.5)
    return resized(table.T.reshape(-1, side, side), height, width).flatten(1).T


@torch.inference_mode()
@pytest.mark.slow
@pytest.mark.parametrize("name", ["coatnet_0", "coatnet_0_rw", "maxvit_tiny"])
def test_images_are_filled_with_zeros_right_and_below(name: str) -> None:
    network, images = lively_network(name, classes=5), noise(1, 3, 50, 70)
    torch.testing.assert_close(network(images), network(F.pad(images, (0, 26, 0, 14))))


@torch.inference_mode()
@pytest.mark.parametrize("grid", [False, True])
def test_places_attend_within_their_window_or_grid(grid: bool) -> None:
    """A map of 6 x 8 in 2 x 2 parts: windows of 3 x 4, or every second row and column."""
    torch.manual_seed(0)
    block = PartBlock(32, side=3, parts=2, grid=grid, drop_path=0.0).eval()
    before = noise(1, 6, 8, 32)
    after = before.clone()
    after[0, 1, 5] += noise(32, seed=2)
    changed = (block(before) != block(after)).any(3)[0]
    for row in range(6):
        for column in range(8):
            together = (row % 2, column % 2) == (1, 1) if grid else row < 3 and column >= 4
            assert changed[row, column] == together, (row, column)
