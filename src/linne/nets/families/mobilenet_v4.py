"""MobileNetV4: one block that can be an inverted residual, a ConvNeXt block or a feed-forward layer.

Qin, Leichner, Delakis, Fornoni, Luo, Yang, Wang, Banbury, Ye, Akin, Aggarwal, Zhu, Moro, Howard: "MobileNetV4:
Universal Models for the Mobile Ecosystem", ECCV 2024 (arXiv 2404.10518), section 3.1 and the tables of its appendix.

The idea: an inverted residual with two optional depthwise convolutions, one before the expansion and one inside it,
holds the blocks of very different networks as special cases. A search chooses for each place what is fast on CPUs,
GPUs and accelerators alike: early layers with many multiply-adds and few bytes, late ones the other way round.

Departures from the paper: none in the layout, which is that of the authors' code. The paper's table counts 9.2 M and 31
M parameters for medium and large, the code has 9.7 M and 32.6 M. TensorFlow's uneven padding and its epsilons in batch
norms are not reproduced, as in the weights that are published for PyTorch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through


class Conv(NamedTuple):
    """A plain convolution."""

    kernel: int
    stride: int
    channels: int


class Fused(NamedTuple):
    """An inverted residual whose expansion filters, of stride 2."""

    kernel: int
    channels: int
    expansion: int


class Uib(NamedTuple):
    """A universal inverted bottleneck.

    With both depthwise kernels it is the paper's ExtraDW, with that before the expansion alone (`start`) a ConvNeXt
    block, with that inside alone (`middle`) an inverted residual, with none (0) a feed-forward layer.
    """

    start: int
    middle: int
    stride: int
    channels: int
    expansion: int


Spec = Conv | Fused | Uib

SMALL: tuple[tuple[Spec, ...], ...] = (
    (Conv(3, 2, 32), Conv(1, 1, 32)),
    (Conv(3, 2, 96), Conv(1, 1, 64)),
    (Uib(5, 5, 2, 96, 3), *4 * [Uib(0, 3, 1, 96, 2)], Uib(3, 0, 1, 96, 4)),
    (
        Uib(3, 3, 2, 128, 6), Uib(5, 5, 1, 128, 4), Uib(0, 5, 1, 128, 4), Uib(0, 5, 1, 128, 3),
        *2 * [Uib(0, 3, 1, 128, 4)],
    ),
)  # fmt: skip

MEDIUM: tuple[tuple[Spec, ...], ...] = (
    (Fused(3, 48, 4),),
    (Uib(3, 5, 2, 80, 4), Uib(3, 3, 1, 80, 2)),
    (
        Uib(3, 5, 2, 160, 6), *2 * [Uib(3, 3, 1, 160, 4)], Uib(3, 5, 1, 160, 4), Uib(3, 3, 1, 160, 4),
        Uib(3, 0, 1, 160, 4), Uib(0, 0, 1, 160, 2), Uib(3, 0, 1, 160, 4),
    ),
    (
        Uib(5, 5, 2, 256, 6), Uib(5, 5, 1, 256, 4), *2 * [Uib(3, 5, 1, 256, 4)], Uib(0, 0, 1, 256, 4),
        Uib(3, 0, 1, 256, 4), Uib(3, 5, 1, 256, 2), Uib(5, 5, 1, 256, 4), *2 * [Uib(0, 0, 1, 256, 4)],
        Uib(5, 0, 1, 256, 2),
    ),
)  # fmt: skip

LARGE: tuple[tuple[Spec, ...], ...] = (
    (Fused(3, 48, 4),),
    (Uib(3, 5, 2, 96, 4), Uib(3, 3, 1, 96, 4)),
    (
        Uib(3, 5, 2, 192, 4), *3 * [Uib(3, 3, 1, 192, 4)], Uib(3, 5, 1, 192, 4), *5 * [Uib(5, 3, 1, 192, 4)],
        Uib(3, 0, 1, 192, 4),
    ),
    (
        Uib(5, 5, 2, 512, 4), *3 * [Uib(5, 5, 1, 512, 4)], Uib(5, 0, 1, 512, 4), Uib(5, 3, 1, 512, 4),
        *2 * [Uib(5, 0, 1, 512, 4)], Uib(5, 3, 1, 512, 4), Uib(5, 5, 1, 512, 4), *3 * [Uib(5, 0, 1, 512, 4)],
    ),
)  # fmt: skip

# stages; channels of the first convolution
SIZES = {"small": (SMALL, 32), "medium": (MEDIUM, 32), "large": (LARGE, 24)}
LAST_CHANNELS = 960
HEAD_CHANNELS = 1280


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    size : {'small', 'medium', 'large'}
        Which of the convolutional layouts.
    dropout : float
        Probability of dropping a feature before the classifier.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    size: Literal["small", "medium", "large"] = "medium"
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.2
    drop_path: float = 0.0


class UniversalInvertedBottleneck(nn.Module):
    """Filter, expand by 1x1, filter, project by 1x1 without a non-linearity (figure 4); the filters are optional."""

    def __init__(self, inputs: int, spec: Uib, drop_path: float) -> None:
        super().__init__()
        hidden = inputs * spec.expansion
        self.start: nn.Module = nn.Identity()
        self.middle: nn.Module = nn.Identity()
        if spec.start:
            stride = 1 if spec.middle else spec.stride
            self.start = ConvNormAct(inputs, inputs, spec.start, stride, groups=inputs, act=None)
        self.expand = ConvNormAct(inputs, hidden, 1)
        if spec.middle:
            self.middle = ConvNormAct(hidden, hidden, spec.middle, spec.stride, groups=hidden)
        self.project = ConvNormAct(hidden, spec.channels, 1, act=None)
        self.residual = spec.stride == 1 and inputs == spec.channels
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, channels, h / stride, w / stride)``."""
        out: Tensor = self.project(self.middle(self.expand(self.start(x))))
        return x + self.drop_path(out) if self.residual else out


class FusedInvertedBottleneck(nn.Sequential):
    """Expand by a strided convolution, project by 1x1."""

    def __init__(self, inputs: int, spec: Fused) -> None:
        super().__init__()
        hidden = inputs * spec.expansion
        self.expand = ConvNormAct(inputs, hidden, spec.kernel, stride=2)
        self.project = ConvNormAct(hidden, spec.channels, 1, act=None)


class Network(nn.Module):
    """MobileNetV4-Conv: small, medium and large."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        stages, channels = SIZES[config.size]
        self.stem = ConvNormAct(config.in_channels, channels, 3, stride=2)  # 256 -> 128
        rates = iter(rising(config.drop_path, sum(map(len, stages))))
        self.layers = nn.ModuleList()  # -> 64, 32, 16, 8
        for specs in stages:
            layer = nn.Sequential()
            for spec in specs:
                layer.append(_block(channels, spec, next(rates)))
                channels = spec.channels
            self.layers.append(layer)
        self.last = ConvNormAct(channels, LAST_CHANNELS, 1)
        self.head = ConvNormAct(LAST_CHANNELS, HEAD_CHANNELS, 1)
        self.feature_size = HEAD_CHANNELS
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(HEAD_CHANNELS, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 960, height / 32, width / 32)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to the hidden layer, ``(batch, 1280)``."""
        hidden: Tensor = self.head(features.mean((2, 3), keepdim=True)).flatten(1)
        return hidden if pre_logits else self.classifier(self.dropout(hidden))

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


def _block(inputs: int, spec: Spec, drop_path: float) -> nn.Module:
    if isinstance(spec, Uib):
        return UniversalInvertedBottleneck(inputs, spec, drop_path)
    if isinstance(spec, Fused):
        return FusedInvertedBottleneck(inputs, spec)
    return ConvNormAct(inputs, spec.channels, spec.kernel, spec.stride)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels // module.groups
        nn.init.normal_(module.weight, 0, math.sqrt(2 / fan_out))
    elif isinstance(module, nn.Linear):
        bound = 1 / math.sqrt(module.out_features)
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(module.bias)
