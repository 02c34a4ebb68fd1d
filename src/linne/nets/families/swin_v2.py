"""Swin Transformer V2: Swin that stays stable when it grows, and whose windows can.

Liu, Hu, Lin, Yao, Xie, Wei, Ning, Cao, Zhang, Dong, Wei, Guo: "Swin Transformer V2: Scaling Up Capacity and
Resolution", CVPR 2022 (arXiv 2111.09883), section 3. Windows, shifts and stages are Swin's (arXiv 2103.14030).

The idea: in Swin, what blocks add grows from layer to layer, and biases learned for one window do not fit another. So
each branch is normalised after it, attention goes by the cosine of query and key, and the biases come from a small
network that sees the logarithm of how far apart two tokens lie, which hardly changes with the window.

Departures from the paper, all as in the authors' code: coordinates are scaled before the logarithm, so that the edge of
any window lies at 8, and divided by log2(8) after it; biases of positions are 16 times a sigmoid; products for keys
have no bias; no window is larger than the map. For any other size than 256, images are filled with zeros right and
below to whole patches, maps to pairs and to whole windows, as in their code for detection with Swin; along a side that
one window spans there is no shift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear import Linear, linear
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.resample import whole_patches
from linne.nets.blocks.shifted_windows import ShiftedWindows
from linne.nets.blocks.stages import through
from linne.nets.blocks.transformer import Mlp
from linne.nets.blocks.windows import biases_of_pairs, filled

PATCH = 4
HEAD_WIDTH = 32
"""Channels of one head of attention."""

HIDDEN = 512
"""Width of the network that gives the biases."""

LARGEST_BIAS = 16.0
LARGEST_SCALE = 100.0
"""Of the cosines: the inverse of the smallest temperature, 0.01."""

SMALLEST_NORM = 1e-12


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
    window: int = 8
    image_size: int = 256
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


class PositionBias(nn.Module):
    """A bias for each relative position in a window, from its log-spaced coordinates (section 3.3)."""

    coordinates: Tensor

    def __init__(self, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.widen = nn.Linear(2, HIDDEN)
        self.narrow = nn.Linear(HIDDEN, heads, bias=False)
        # From key to query, in the order of offsets from query to key; the edge of the window is 8.
        along = torch.arange(window - 1, -window, -1, device="cpu") * (8 / max(1, window - 1))
        along = along.sign() * torch.log2(1 + along.abs()) / math.log2(8)
        self.register_buffer("coordinates", torch.cartesian_prod(along, along), persistent=False)

    def forward(self) -> Tensor:
        """Give what is added to the attention: ``(1, heads, window ** 2, window ** 2)``."""
        span = 2 * self.window - 1
        table = self.narrow(F.relu(self.widen(self.coordinates.to(self.widen.weight)), inplace=True))
        table = (LARGEST_BIAS * torch.sigmoid(table)).T.reshape(self.heads, span, span)
        return biases_of_pairs(table, self.window, self.window)


class WindowAttention(nn.Module):
    """Multi-head self-attention within windows, by the cosine of query and key."""

    def __init__(self, width: int, window: int, shift: int, side: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.windows = ShiftedWindows(window, shift, side)
        self.qkv = Linear(width, 3 * width, bias=False)
        self.query_bias = nn.Parameter(torch.zeros(width))
        self.value_bias = nn.Parameter(torch.zeros(width))
        self.logit_scale = nn.Parameter(torch.full((self.heads, 1, 1), math.log(10)))
        self.position_bias = PositionBias(self.heads, window)
        self.project = Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, rows, columns, width)`` to the same shape."""
        query, key, value = self._query_key_value(self.windows.cut(x))
        biases = self.windows.masked(self.position_bias(), x.shape)
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=biases, scale=1.0)
        mixed: Tensor = self.project(self.windows.join(out, x.shape))
        return mixed

    def _query_key_value(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries of length `logit_scale`, keys of length 1, values: each ``(windows, heads, window ** 2, 32)``."""
        bias = torch.cat([self.query_bias, torch.zeros_like(self.query_bias), self.value_bias])
        qkv = linear(windows, self.qkv.weight, bias).view(*windows.shape[:2], 3, self.heads, HEAD_WIDTH)
        query_key, value = qkv[:, :, :2], qkv[:, :, 2]
        norms = torch.linalg.vector_norm(query_key, dim=-1, keepdim=True).clamp_min(SMALLEST_NORM)
        scale = self.logit_scale.clamp(max=math.log(LARGEST_SCALE)).exp().flatten(1)
        lengths = torch.stack([scale, torch.ones_like(scale)])  # (2, heads, 1)
        query, key = (query_key * (lengths / norms)).permute(2, 0, 3, 1, 4).unbind(0)
        return query, key, value.transpose(1, 2)


class Block(nn.Module):
    """Attention within windows, then a perceptron at each token, each normalised after it (figure 1)."""

    def __init__(self, width: int, window: int, shift: int, side: int, drop_path: float) -> None:
        super().__init__()
        self.attention = WindowAttention(width, window, shift, side)
        self.norm1 = nn.LayerNorm(width)
        self.mlp = Mlp(width, 4 * width)
        self.norm2 = nn.LayerNorm(width)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, rows, columns, width)`` to the same shape."""
        x = x + self.drop_path(self.norm1(self.attention(x)))
        out: Tensor = x + self.drop_path(self.norm2(self.mlp(x)))
        return out


class Merge(nn.Module):
    """Four neighbours to one token of twice the length, normalised after it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce = Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(2 * width)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, rows, columns, width)`` to ``(batch, rows / 2, columns / 2, 2 width)``."""
        x = filled(x, 2)
        rows, columns, width = x.shape[1:]
        fours = x.reshape(-1, rows // 2, 2, columns // 2, 2, width).permute(0, 1, 3, 4, 2, 5).flatten(3)
        merged: Tensor = self.norm(self.reduce(fours))  # of the four, the left ones come first
        return merged


class Network(nn.Module):
    """Swin Transformer V2, tiny to base."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        rates = iter(rising(config.drop_path, sum(config.depths)))
        self.embedding = Embedding(config.in_channels, config.width)  # 256 -> 64
        self.layers = nn.ModuleList()  # -> 64, 32, 16, 8
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
    elif isinstance(module, Block):  # at first, each block is the identity
        for norm in (module.norm1, module.norm2):
            nn.init.zeros_(norm.weight)
            nn.init.zeros_(norm.bias)
