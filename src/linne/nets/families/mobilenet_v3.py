"""MobileNetV3: the inverted residual, laid out by a search for latency on phones.

Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam: "Searching for MobileNetV3", ICCV 2019
(arXiv 1905.02244), tables 1 and 2.

The idea: a search chooses kernels, widths and where to squeeze and excite; by hand come hard swish, a swish of two
straight lines and a parabola, and a last stage whose wide layers stand behind the pooling, where they cost little.

Departures from the paper: TensorFlow's uneven padding is not reproduced. Batch norms have an epsilon of 1e-5; where
weights were trained with 1e-3, the difference is added to their running variances (see `linne.nets.translate`). As in
the authors' code, channels are rounded to multiples of 8, a block is expanded from its rounded input, and the layer
before the classifier has the same width at every multiplier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import Activation, ConvNormAct, hard_swish, relu
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.round_channels import round_to_8
from linne.nets.blocks.squeeze_excite import SqueezeExcite
from linne.nets.blocks.stages import through


class Row(NamedTuple):
    """One line of table 1 or 2."""

    kernel: int
    expansion: float
    channels: int
    squeeze: bool
    act: Activation
    stride: int


LARGE = (
    (Row(3, 1, 16, False, relu, 1),),
    (Row(3, 4, 24, False, relu, 2), Row(3, 3, 24, False, relu, 1)),
    (Row(5, 3, 40, True, relu, 2), *2 * [Row(5, 3, 40, True, relu, 1)]),
    (
        Row(3, 6, 80, False, hard_swish, 2),
        Row(3, 2.5, 80, False, hard_swish, 1),
        *2 * [Row(3, 2.3, 80, False, hard_swish, 1)],
    ),
    (*2 * [Row(3, 6, 112, True, hard_swish, 1)],),
    (Row(5, 6, 160, True, hard_swish, 2), *2 * [Row(5, 6, 160, True, hard_swish, 1)]),
)

SMALL = (
    (Row(3, 1, 16, True, relu, 2),),
    (Row(3, 72 / 16, 24, False, relu, 2), Row(3, 88 / 24, 24, False, relu, 1)),
    (Row(5, 4, 40, True, hard_swish, 2), *2 * [Row(5, 6, 40, True, hard_swish, 1)]),
    (*2 * [Row(5, 3, 48, True, hard_swish, 1)],),
    (Row(5, 6, 96, True, hard_swish, 2), *2 * [Row(5, 6, 96, True, hard_swish, 1)]),
)

# stages; channels of the last convolution; features before the classifier
SIZES = {"large": (LARGE, 960, 1280), "small": (SMALL, 576, 1024)}
STEM_CHANNELS = 16


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    size : {'large', 'small'}
        Which of the two layouts.
    width : float
        Multiplier of every layer's channels but the last one's.
    dropout : float
        Probability of dropping a feature before the classifier.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    size: Literal["large", "small"] = "large"
    width: float = 1.0
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.2
    drop_path: float = 0.0


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel, squeeze and excite, project by 1x1 without a non-linearity (figure 4)."""

    def __init__(self, inputs: int, outputs: int, row: Row, drop_path: float) -> None:
        super().__init__()
        hidden = round_to_8(inputs * row.expansion)
        self.expand = ConvNormAct(inputs, hidden, 1, act=row.act) if row.expansion > 1 else nn.Identity()
        self.depthwise = ConvNormAct(hidden, hidden, row.kernel, row.stride, groups=hidden, act=row.act)
        self.squeeze_excite = _squeeze_excite(hidden) if row.squeeze else nn.Identity()
        self.project = ConvNormAct(hidden, outputs, 1, act=None)
        self.residual = row.stride == 1 and inputs == outputs
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        out: Tensor = self.project(self.squeeze_excite(self.depthwise(self.expand(x))))
        return x + self.drop_path(out) if self.residual else out


class Network(nn.Module):
    """MobileNetV3, large and small."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        stages, last, self.feature_size = SIZES[config.size]
        channels = round_to_8(STEM_CHANNELS * config.width)
        self.stem = ConvNormAct(config.in_channels, channels, 3, stride=2, act=hard_swish)  # 224 -> 112
        rates = iter(rising(config.drop_path, sum(map(len, stages))))
        self.layers = nn.ModuleList()  # large -> 112, 56, 28, 14, 14, 7; small -> 56, 28, 14, 14, 7
        for rows in stages:
            layer = nn.Sequential()
            for row in rows:
                outputs = round_to_8(row.channels * config.width)
                layer.append(InvertedResidual(channels, outputs, row, next(rates)))
                channels = outputs
            self.layers.append(layer)
        last = round_to_8(last * config.width)
        self.last = ConvNormAct(channels, last, 1, act=hard_swish)
        self.hidden = nn.Linear(last, self.feature_size)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.feature_size, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 960 or 576, height / 32, width / 32)`` at width 1."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to the hidden layer, ``(batch, 1280 or 1024)``."""
        hidden = F.hardswish(self.hidden(features.mean((2, 3))), inplace=True)
        return hidden if pre_logits else self.classifier(self.dropout(hidden))

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem, each inverted residual, and the last convolution."""
        return (self.stem, *(block for layer in self.layers for block in layer.children()), self.last)


def _squeeze_excite(channels: int) -> SqueezeExcite:
    """Squeeze to a quarter; the gate is the hard sigmoid, of three straight lines (section 5.3)."""
    return SqueezeExcite(channels, round_to_8(channels / 4), gate=nn.Hardsigmoid)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)
