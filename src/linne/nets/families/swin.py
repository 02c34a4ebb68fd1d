"""Swin Transformer: attention within windows that shift by half from block to block.

Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo: "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows",
ICCV 2021 (arXiv 2103.14030), section 3 and its architecture variants.

The idea: tokens attend only within a window of 7 x 7, so that the cost grows with the image's area and not with its
square, and every second block moves the windows by half their side, so that neighbours meet. Between stages, four
tokens become one of twice the length: maps shrink as in ResNet.

Departures from the paper: none at 224. For any other size, as in the authors' code for detection, images are filled
with zeros right and below to whole patches, maps to pairs, and normalised maps to whole windows; along a side that
one window spans there is no shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear import Linear
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.resample import whole_patches
from linne.nets.blocks.shifted_windows import ShiftedWindows
from linne.nets.blocks.stages import through
from linne.nets.blocks.transformer import Mlp
from linne.nets.blocks.windows import biases_of_pairs, filled

PATCH = 4
HEAD_WIDTH = 32
"""Channels of one head of attention (section 3.3)."""


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    width : int
        Channels of the first stage; each later one has twice as many.
    depths : tuple of int
        Blocks in each stage.
    window : int
        Side of a window in tokens.
    image_size : int
        Side of the images trained on, in pixels; no window is larger than the map that it gives.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    width: int = 96
    depths: tuple[int, ...] = (2, 2, 6, 2)
    window: int = 7
    image_size: int = 224
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class Embedding(nn.Module):
    """Patches of 4 x 4 pixels to tokens."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(in_channels, width, PATCH, PATCH)
        self.norm = nn.LayerNorm(width)

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, height / 4, width / 4, channels)``."""
        tokens: Tensor = self.norm(self.project(whole_patches(images, PATCH)).permute(0, 2, 3, 1))
        return tokens


class WindowAttention(nn.Module):
    """Multi-head self-attention within windows, with a learned bias for each relative position (equation 4)."""

    def __init__(self, width: int, window: int, shift: int, side: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.windows = ShiftedWindows(window, shift, side)
        self.qkv = Linear(width, 3 * width)
        self.bias_table = nn.Parameter(torch.empty(self.heads, 2 * window - 1, 2 * window - 1))
        self.project = Linear(width, width)
        nn.init.trunc_normal_(self.bias_table, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, rows, columns, width)`` to the same shape."""
        qkv = self.qkv(self.windows.cut(x)).unflatten(2, (3, self.heads, HEAD_WIDTH))
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each (windows, heads, window ** 2, 32)
        biases = biases_of_pairs(self.bias_table, self.windows.window, self.windows.window)
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=self.windows.masked(biases, x.shape))
        mixed: Tensor = self.project(self.windows.join(out, x.shape))
        return mixed


class Block(nn.Module):
    """Attention within windows, then a perceptron at each token (figure 3b)."""

    def __init__(self, width: int, window: int, shift: int, side: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = WindowAttention(width, window, shift, side)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, 4 * width)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, rows, columns, width)`` to the same shape."""
        x = x + self.drop_path(self.attention(self.norm1(x)))
        out: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return out


class Merge(nn.Module):
    """Four neighbours to one token of twice the length."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduce = Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, rows, columns, width)`` to ``(batch, rows / 2, columns / 2, 2 width)``."""
        x = filled(x, 2)
        rows, columns, width = x.shape[1:]
        fours = x.reshape(-1, rows // 2, 2, columns // 2, 2, width).permute(0, 1, 3, 4, 2, 5).flatten(3)
        merged: Tensor = self.reduce(self.norm(fours))  # of the four, the left ones come first
        return merged


class Network(nn.Module):
    """Swin Transformer, tiny to large."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        rates = iter(rising(config.drop_path, sum(config.depths)))
        self.embedding = Embedding(config.in_channels, config.width)  # 224 -> 56
        self.layers = nn.ModuleList()  # -> 56, 28, 14, 7
        self.merges = nn.ModuleList()
        for i, depth in enumerate(config.depths):
            width, side = config.width * 2**i, -(-config.image_size // (PATCH * 2**i))
            window = min(config.window, side)
            if i > 0:
                self.merges.append(Merge(width // 2))
            self.layers.append(
                nn.Sequential(*(Block(width, window, j % 2 * (window // 2), side, next(rates)) for j in range(depth)))
            )
        self.feature_size = width
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to normalised tokens ``(batch, height / 32, width / 32, channels)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Tokens to logits ``(batch, classes)``, or to their mean ``(batch, channels)``."""
        pooled = features.mean((1, 2))
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the embedding, each block, with each merge before its stage's first, and the last norm."""
        stages: list[nn.Module] = [self.embedding]
        for i, layer in enumerate(self.layers):
            if i > 0:
                stages.append(self.merges[i - 1])
            stages.extend(layer.children())
        return (*stages, self.norm)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
