"""EfficientNetV2: EfficientNet, searched again for the time that it takes to train.

Tan, Le: "EfficientNetV2: Smaller Models and Faster Training", ICML 2021 (arXiv 2104.00298), table 4 and section 3.3;
M, L, XL and the baseline of B0 to B3 are those of the authors' code (google/automl, efficientnetv2).

The idea: depthwise convolutions have few multiply-adds and yet are slow on wide maps, since accelerators wait for
memory. So the early stages fuse a block's 1x1 and depthwise convolutions into one plain 3x3, expansions are smaller,
and 3x3 filters in more layers take the place of 5x5; the network trains several times as fast as EfficientNet.

Departures from the paper: none in the network. The variants of torchvision pad evenly, not as TensorFlow does; their
weights need it. The running statistics of batch norms move by a tenth a step, as is usual in PyTorch, not by a
hundredth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct, silu
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.squeeze_excite import SqueezeExcite
from linne.nets.blocks.stages import through

# expansion, stride of the first block (table 4); S and the baseline lack the last stage
STAGES = ((1, 1), (4, 2), (4, 2), (4, 2), (6, 1), (6, 2), (6, 1))
FUSED_STAGES = 3
"""The first of them are made of fused blocks."""
LAST_CHANNELS = 1280
SQUEEZE = 4
"""Channels that enter a block for each one in the bottleneck of its gates."""
EPSILON = 1e-3


@dataclass(frozen=True, slots=True)
class Config:
    """One variant; by default S.

    Attributes
    ----------
    stem : int
        Channels of the first convolution.
    channels, repeats : tuple of int
        Of each of the six or seven stages: channels that leave it, and blocks.
    width, depth : float
        Multipliers of all channels, rounded to 8, and of repeats, rounded up: B1 to B3 are B0 scaled.
    same_padding : bool
        Pad as TensorFlow does, which the authors' weights need; or evenly, as torchvision's.
    dropout : float
        Probability of dropping a feature before the classifier.
    drop_path : float
        Probability of leaving a branch out, at the last block; the authors train with 0.2.
    """

    stem: int = 24
    channels: tuple[int, ...] = (24, 48, 64, 128, 160, 256)
    repeats: tuple[int, ...] = (2, 4, 4, 6, 9, 15)
    width: float = 1.0
    depth: float = 1.0
    same_padding: bool = True
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.2
    drop_path: float = 0.0


class FusedMBConv(nn.Module):
    """Expand and filter by one 3x3, project by 1x1 (figure 2, right); the 3x3 alone where nothing is expanded."""

    def __init__(
        self, config: Config, inputs: int, outputs: int, stride: int, expansion: int, drop_path: float
    ) -> None:
        super().__init__()
        unit, hidden = _unit(config), inputs * expansion if expansion > 1 else outputs
        self.expand = unit(inputs, hidden, 3, stride)
        self.project = unit(hidden, outputs, 1, act=None) if expansion > 1 else nn.Identity()
        self.residual = stride == 1 and inputs == outputs
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        out: Tensor = self.project(self.expand(x))
        # In place: nobody needs the branch's own values again.
        return self.drop_path(out).add_(x) if self.residual else out


class MBConv(nn.Module):
    """Expand by 1x1, filter each channel by 3x3, weigh channels by gates, project by 1x1 (figure 2, left)."""

    def __init__(
        self, config: Config, inputs: int, outputs: int, stride: int, expansion: int, drop_path: float
    ) -> None:
        super().__init__()
        unit, hidden = _unit(config), inputs * expansion
        self.expand = unit(inputs, hidden, 1)
        self.depthwise = unit(hidden, hidden, 3, stride, groups=hidden)
        self.excite = SqueezeExcite(hidden, inputs // SQUEEZE, silu)
        self.project = unit(hidden, outputs, 1, act=None)
        self.residual = stride == 1 and inputs == outputs
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        out: Tensor = self.project(self.excite(self.depthwise(self.expand(x))))
        return self.drop_path(out).add_(x) if self.residual else out


class Network(nn.Module):
    """EfficientNetV2-S to XL and B0 to B3."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        channels = _rounded(config.stem * config.width)
        self.stem = _unit(config)(config.in_channels, channels, 3, stride=2)  # 384 -> 192
        repeats = [math.ceil(repeats * config.depth) for repeats in config.repeats]
        rates = iter(rising(config.drop_path, sum(repeats)))
        self.layers = nn.ModuleList()  # -> 192, 96, 48, 24, 24, 12, 12
        for stage, (outputs, depth) in enumerate(zip(config.channels, repeats, strict=True)):
            expansion, first = STAGES[stage]
            block = FusedMBConv if stage < FUSED_STAGES else MBConv
            layer = nn.Sequential()
            outputs = _rounded(outputs * config.width)
            for i in range(depth):
                layer.append(block(config, channels, outputs, first if i == 0 else 1, expansion, next(rates)))
                channels = outputs
            self.layers.append(layer)
        self.feature_size = _rounded(LAST_CHANNELS * config.width)
        self.last = _unit(config)(channels, self.feature_size, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.feature_size, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 1280, height / 32, width / 32)`` at width 1."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places, ``(batch, 1280)`` at width 1."""
        pooled = features.mean(dim=(2, 3))
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


def _unit(config: Config) -> partial[ConvNormAct]:
    """Give the convolution with batch norm and SiLU that the network is made of."""
    return partial(ConvNormAct, act=silu, eps=EPSILON, padding="same" if config.same_padding else None)


def _rounded(channels: float) -> int:
    """Nearest multiple of 8, even if it is more than a tenth below: not as in EfficientNet."""
    return max(8, int(channels + 4) // 8 * 8)


def _initialise(module: nn.Module) -> None:
    """Draw weights as the authors do, who count one filter's outputs in a depthwise convolution, not all channels'."""
    if isinstance(module, nn.Conv2d):
        fan_out = module.weight[:, 0].numel() // module.groups
        nn.init.normal_(module.weight, 0, (2 / fan_out) ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        limit = module.out_features**-0.5
        nn.init.uniform_(module.weight, -limit, limit)
        nn.init.zeros_(module.bias)
