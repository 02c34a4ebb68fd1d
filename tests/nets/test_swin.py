"""Swin and Swin V2: windows, shifts, masks and biases as the papers draw them, pair by pair and without rolling."""

from __future__ import annotations

import math

import pytest
import torch
from references import Reference, noise, revive
from torch import Tensor, nn

from linne.nets import create
from linne.nets.families import swin, swin_v2
from linne.nets.translate.rules import translate

HEADS, WINDOW, SHIFT = 2, 3, 1
WIDTH = 32 * HEADS

MAPS = [(6, 6), (7, 5), (3, 7), (5, 2), (2, 2), (9, 9)]
"""Rows and columns: whole windows, filled ones, one window along one side or both, and the usual map."""


@pytest.mark.parametrize("shift", [0, SHIFT])
@pytest.mark.parametrize("sides", MAPS)
@pytest.mark.parametrize("family", [swin, swin_v2])
@torch.inference_mode()
def test_attention_is_within_the_windows_of_the_paper(family, sides: tuple[int, int], shift: int) -> None:
    torch.manual_seed(0)
    attention = family.WindowAttention(WIDTH, WINDOW, shift, 9).double()
    revive(attention)
    x = noise(2, *sides, WIDTH).double()
    expected = torch.stack([_attended(attention, one, family, shift) for one in x])
    torch.testing.assert_close(attention(x), expected, rtol=1e-6, atol=1e-6)


def _attended(attention: nn.Module, x: Tensor, family, shift: int) -> Tensor:
    """Each token attends to those in its window; windows at the edges are cut off, as in figure 2 of the paper."""
    rows, columns = (-(-side // WINDOW) * WINDOW for side in x.shape[:2])
    filled = x.new_zeros(rows, columns, WIDTH)
    filled[: x.shape[0], : x.shape[1]] = x
    qkv = (filled @ attention.qkv.weight.T + _bias_of_products(attention, family)).reshape(rows, columns, 3, HEADS, 32)
    out = torch.zeros_like(x)
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            window = [
                (r, c)
                for r in range(rows)
                for c in range(columns)
                if _window(r, rows, shift) == _window(row, rows, shift)
                and _window(c, columns, shift) == _window(column, columns, shift)
            ]
            assert len(window) <= WINDOW**2
            heads = []
            for head in range(HEADS):
                query = qkv[row, column, 0, head]
                logits = torch.stack(
                    [
                        _likeness(attention, query, qkv[r, c, 1, head], head, family)
                        + _bias(attention, row - r, column - c, head, family)
                        for r, c in window
                    ]
                )
                weights = logits.softmax(0)
                heads.append(sum(w * qkv[r, c, 2, head] for w, (r, c) in zip(weights, window, strict=True)))
            out[row, column] = attention.project(torch.cat(heads))
    return out


def _window(place: int, side: int, shift: int) -> int:
    """Number windows along one side; one that spans it stays where it is."""
    return (place - (shift if side > WINDOW else 0)) // WINDOW


def _bias_of_products(attention: nn.Module, family) -> Tensor:
    if family is swin:
        return attention.qkv.bias
    return torch.cat([attention.query_bias, torch.zeros(WIDTH), attention.value_bias])


def _likeness(attention: nn.Module, query: Tensor, key: Tensor, head: int, family) -> Tensor:
    if family is swin:
        return query @ key / math.sqrt(32)
    if not key.any():
        return torch.zeros_like(key[0])  # filled in, and keys have no bias: its cosine is that of a right angle
    return query @ key / (query.norm() * key.norm()) * min(100.0, attention.logit_scale[head].exp().item())


def _bias(attention: nn.Module, down: int, across: int, head: int, family) -> Tensor:
    """Equation 4 of the first paper, and equations 3 and 4 of the second; `down` and `across` from key to query."""
    if family is swin:
        return attention.bias_table[head, WINDOW - 1 - down, WINDOW - 1 - across]
    parts = [8 * delta / (WINDOW - 1) for delta in (down, across)]
    place = torch.tensor([math.copysign(math.log2(1 + abs(part)) / 3, part) for part in parts], dtype=torch.float64)
    network = attention.position_bias
    hidden = (network.widen.weight @ place + network.widen.bias).clamp(min=0)
    return 16 / (1 + torch.exp(-(network.narrow.weight[head] @ hidden)))


@torch.inference_mode()
def test_cosines_are_scaled_by_100_at_most() -> None:
    torch.manual_seed(0)
    attention = swin_v2.WindowAttention(WIDTH, WINDOW, 0, 3).double()
    revive(attention)
    x = noise(1, 3, 3, WIDTH).double()
    attention.logit_scale.fill_(math.log(100))
    most = attention(x)
    attention.logit_scale.fill_(math.log(1000))
    torch.testing.assert_close(attention(x), most)


@pytest.mark.parametrize("family", [swin, swin_v2])
@torch.inference_mode()
def test_the_mask_is_the_same_computed_before_and_when_needed(family) -> None:
    torch.manual_seed(0)
    known, other = (family.WindowAttention(WIDTH, WINDOW, SHIFT, side) for side in (9, 12))
    revive(known)
    other.load_state_dict(known.state_dict())
    x = noise(2, 9, 9, WIDTH)
    assert torch.equal(known(x), other(x))


@pytest.mark.parametrize("family", [swin, swin_v2])
@torch.inference_mode()
def test_four_tokens_become_one(family) -> None:
    """Upper left, lower left, upper right, lower right; zeros where the map ends."""
    merge = family.Merge(8).double()
    revive(merge)
    x = noise(1, 3, 5, 8).double()
    filled = torch.zeros(4, 6, 8, dtype=torch.float64)
    filled[:3, :5] = x[0]
    for row, column in [(0, 0), (0, 2), (1, 0), (1, 2)]:
        square = filled[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        four = torch.cat([square[0, 0], square[1, 0], square[0, 1], square[1, 1]])
        one = merge.reduce(merge.norm(four)) if family is swin else merge.norm(merge.reduce(four))
        torch.testing.assert_close(merge(x)[0, row, column], one)


@pytest.mark.parametrize("side", [96, 132])
def test_torchvision_has_the_same_second_version(side: int) -> None:
    """It pads as the first version does; its bias of keys is set to zero in each pass, and so ours goes without."""
    reference = Reference("swin_v2_tiny", "torchvision", "swin_v2_t")
    theirs = reference.build()
    ours = reference.ours(theirs)
    images = noise(2, 3, side, side)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)


def test_no_window_is_larger_than_the_map() -> None:
    windows = [layer[0].attention.windows.window for layer in create("swin_v2_tiny_w16", classes=2).layers]
    assert windows == [16, 16, 16, 8]


@pytest.mark.parametrize(
    ("family", "key", "shape"),
    [
        ("swin", "features.1.0.attn.relative_position_bias_table", (170, 3)),  # no square
        ("swin", "features.1.0.attn.relative_position_bias_table", ()),
        ("swin_v2", "features.1.0.attn.qkv.bias", (97,)),  # not three of a length
        ("swin_v2", "features.1.0.attn.qkv.bias", ()),
    ],
)
def test_what_cannot_be_laid_out_as_ours_is_not_ours(family: str, key: str, shape: tuple[int, ...]) -> None:
    assert translate({key: torch.zeros(shape)}, family, "torchvision") == ({}, [key])
