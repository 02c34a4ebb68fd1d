"""MobileViT: a transformer used as a convolution, in a network for phones.

Mehta, Rastegari: "MobileViT: Light-weight, General-purpose, and Mobile-friendly Vision Transformer", ICLR 2022
(arXiv 2110.02178), section 3.1, figure 1b and table 4.

The idea: a convolution unfolds a map, multiplies matrices and folds it again; here a transformer takes the place of
the multiplication, and so each place sees the whole map. It relates only places that lie alike in patches of 2x2,
since the convolution before it has told each of them about the others, and needs no positions.

Departures from the paper: the transformer has no dropout (the authors' code: 0.1, 0.05 in XXS). As in that code, maps
that are no whole number of patches are resized bilinearly before the transformer and back behind it; dropout of 0.1
stands before the classifier. A map is unfolded and folded by one copy each.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct, silu
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through
from linne.nets.blocks.transformer import EncoderBlock

STEM_CHANNELS = 16
PATCH = 2
HEADS = 4
DEPTHS = (2, 4, 3)
"""Encoder blocks of the last three layers."""

EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    widths : tuple of int
        Channels of the five layers.
    token_widths : tuple of int
        Length of a token in the last three layers.
    expansion : int
        How many times as wide an inverted residual is inside.
    dropout : float
        Probability of dropping a feature before the classifier.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    widths: tuple[int, int, int, int, int] = (32, 64, 96, 128, 160)
    token_widths: tuple[int, int, int] = (144, 192, 240)
    expansion: int = 4
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.1
    drop_path: float = 0.0


class InvertedResidual(nn.Module):
    """The block of MobileNetV2, with SiLU: expand by 1x1, filter each channel by 3x3, project by 1x1."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, drop_path: float) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = ConvNormAct(inputs, hidden, 1, act=silu)
        self.depthwise = ConvNormAct(hidden, hidden, 3, stride, groups=hidden, act=silu)
        self.project = ConvNormAct(hidden, outputs, 1, act=None)
        self.residual = stride == 1 and inputs == outputs
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + self.drop_path(out) if self.residual else out


class MobileViTBlock(nn.Module):
    """Near places by a convolution, far ones by a transformer; then what entered and what came out, fused."""

    def __init__(self, width: int, token_width: int, depth: int, drop_path: float) -> None:
        super().__init__()
        self.near = ConvNormAct(width, width, 3, act=silu)
        self.widen = nn.Conv2d(width, token_width, 1, bias=False)
        self.blocks = nn.Sequential(
            *(EncoderBlock(token_width, HEADS, 2 * token_width, drop_path, silu, EPSILON) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(token_width, EPSILON)
        self.narrow = ConvNormAct(token_width, width, 1, act=silu)
        self.fuse = ConvNormAct(2 * width, width, 3, act=silu)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, width, h, w)`` to the same shape."""
        height, width = int(x.shape[2]), int(x.shape[3])
        rows, columns = -(-height // PATCH), -(-width // PATCH)
        whole = _resized(self.widen(self.near(x)), rows * PATCH, columns * PATCH)
        channels = whole.shape[1]
        places = whole.reshape(-1, channels, rows, PATCH, columns, PATCH).permute(0, 3, 5, 2, 4, 1)
        tokens = self.norm(self.blocks(places.reshape(-1, rows * columns, channels)))  # (4 batch, patches, channels)
        places = tokens.reshape(-1, PATCH, PATCH, rows, columns, channels).permute(0, 5, 3, 1, 4, 2)
        far = self.narrow(_resized(places.reshape(-1, channels, rows * PATCH, columns * PATCH), height, width))
        out: Tensor = self.fuse(torch.cat([x, far], dim=1))
        return out


class Network(nn.Module):
    """MobileViT-XXS, XS and S."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        first, second, *rest = config.widths
        rates = iter(rising(config.drop_path, 4 + 2 * len(rest)))
        self.stem = ConvNormAct(config.in_channels, STEM_CHANNELS, 3, stride=2, act=silu)  # 256 -> 128
        self.layers = nn.ModuleList()  # -> 128, 64, 32, 16, 8
        self.layers.append(nn.Sequential(InvertedResidual(STEM_CHANNELS, first, 1, config.expansion, next(rates))))
        layer = nn.Sequential(InvertedResidual(first, second, 2, config.expansion, next(rates)))
        layer.extend(InvertedResidual(second, second, 1, config.expansion, next(rates)) for _ in range(2))
        self.layers.append(layer)
        inputs = second
        for width, token_width, depth in zip(rest, config.token_widths, DEPTHS, strict=True):
            layer = nn.Sequential(InvertedResidual(inputs, width, 2, config.expansion, next(rates)))
            layer.append(MobileViTBlock(width, token_width, depth, next(rates)))
            self.layers.append(layer)
            inputs = width
        self.feature_size = 4 * inputs
        self.last = ConvNormAct(inputs, self.feature_size, 1, act=silu)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.feature_size, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 4 widths[-1], height / 32, width / 32)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places."""
        pooled = features.mean((2, 3))
        return pooled if pre_logits else self.classifier(self.dropout(pooled))

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem, each block, and the last convolution."""
        return (self.stem, *(block for layer in self.layers for block in layer.children()), self.last)


def _resized(x: Tensor, height: int, width: int) -> Tensor:
    if tuple(x.shape[2:]) == (height, width):
        return x
    return F.interpolate(x, (height, width), mode="bilinear", align_corners=False)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
