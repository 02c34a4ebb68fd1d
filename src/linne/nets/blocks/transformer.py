"""The encoder block of vision transformers: attention and a two-layer perceptron, each normalised before and added.

Vaswani et al.: "Attention Is All You Need", NeurIPS 2017 (arXiv 1706.03762), in the pre-norm form of
Dosovitskiy et al.: "An Image is Worth 16x16 Words", ICLR 2021 (arXiv 2010.11929), section 3.1.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import Activation
from linne.nets.blocks.drop_path import DropPath
from linne.nets.blocks.linear import Linear

EPSILON = 1e-6


class Attention(nn.Module):
    """Multi-head self-attention; queries, keys and values come from one product."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Linear(width, 3 * width)
        self.project = Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to the same shape."""
        batch, length, width = tokens.shape
        qkv = self.qkv(tokens).reshape(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (batch, heads, tokens, width / heads)
        out = F.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.project(out.transpose(1, 2).reshape(batch, length, width))
        return mixed


class Mlp(nn.Sequential):
    """Widen, bend, narrow."""

    def __init__(self, width: int, hidden: int, act: Activation = nn.GELU) -> None:
        super().__init__()
        self.widen = Linear(width, hidden)
        self.act = act()
        self.narrow = Linear(hidden, width)


class EncoderBlock(nn.Module):
    """Attention between tokens, then a perceptron at each."""

    def __init__(
        self, width: int, heads: int, hidden: int, drop_path: float = 0.0, act: Activation = nn.GELU,
        eps: float = EPSILON,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps)
        self.mlp = Mlp(width, hidden, act)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to the same shape."""
        tokens = tokens + self.drop_path(self.attention(self.norm1(tokens)))
        out: Tensor = tokens + self.drop_path(self.mlp(self.norm2(tokens)))
        return out
