"""EfficientNet: one small network, scaled in width, depth and resolution together; with it EfficientNet-Lite.

Tan, Le: "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019 (arXiv 1905.11946),
table 1 and section 3.3; the coefficients of B1 to B7 are those of the authors' code. EfficientNet-Lite is a release
of 2020 in the authors' repository (tensorflow/tpu, models/official/efficientnet/lite), without a paper.

The idea: a wider network wants to be deeper, and both want larger images, so all three grow together, by factors
found once on a small network. That network, B0, was searched for accuracy per multiply-add: MobileNetV2's inverted
residuals with squeeze-and-excitation, some with 5x5 filters.

Departures from the paper: none in the network. The variants of torchvision pad evenly and B0 to B4 have a smaller
eps than the authors' TensorFlow; their weights need it. The running statistics of batch norms move by a tenth a
step, as is usual in PyTorch, not by a hundredth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct, relu6, silu
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.round_channels import round_to_8
from linne.nets.blocks.squeeze_excite import SqueezeExcite
from linne.nets.blocks.stages import through

# expansion, channels, repeats, stride of the first block, kernel of B0 (table 1)
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM_CHANNELS = 32
LAST_CHANNELS = 1280
SQUEEZE = 4
"""Channels that enter a block for each one in the bottleneck of its gates."""


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    width, depth : float
        Multipliers of B0's channels, rounded to 8, and of its repeats, rounded up.
    lite : bool
        No squeeze-and-excitation, ReLU6 in place of SiLU, and the stem, the last convolution and the repeats of the
        first and last stage as in B0: for integer arithmetic, where gates and SiLU cost accuracy and time.
    same_padding : bool
        Pad as TensorFlow does, which the authors' weights need; or evenly, as torchvision's.
    eps : float
        Of the batch norms.
    dropout : float
        Probability of dropping a feature before the classifier.
    drop_path : float
        Probability of leaving a branch out, at the last block; the authors train with 0.2.
    """

    width: float = 1.0
    depth: float = 1.0
    lite: bool = False
    same_padding: bool = True
    eps: float = 1e-3
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.2
    drop_path: float = 0.0


class MBConv(nn.Module):
    """Expand by 1x1, filter each channel, weigh channels by gates, project by 1x1 without a non-linearity."""

    def __init__(
        self, config: Config, inputs: int, outputs: int, kernel: int, stride: int, expansion: int, drop_path: float
    ) -> None:
        super().__init__()
        unit, hidden = _unit(config), inputs * expansion
        self.expand = unit(inputs, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = unit(hidden, hidden, kernel, stride, groups=hidden)
        self.excite = nn.Identity() if config.lite else SqueezeExcite(hidden, inputs // SQUEEZE, silu)
        self.project = unit(hidden, outputs, 1, act=None)
        self.residual = stride == 1 and inputs == outputs
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        out: Tensor = self.project(self.excite(self.depthwise(self.expand(x))))
        # In place: nobody needs the branch's own values again.
        return self.drop_path(out).add_(x) if self.residual else out


class Network(nn.Module):
    """EfficientNet-B0 to B7 and EfficientNet-Lite0 to Lite4."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        width = 1.0 if config.lite else config.width
        channels = round_to_8(STEM_CHANNELS * width)
        self.stem = _unit(config)(config.in_channels, channels, 3, stride=2)  # 224 -> 112
        repeats = _repeats(config)
        rates = iter(rising(config.drop_path, sum(repeats)))
        self.layers = nn.ModuleList()  # -> 112, 56, 28, 14, 14, 7, 7
        for (expansion, outputs, _, first, kernel), depth in zip(STAGES, repeats, strict=True):
            layer = nn.Sequential()
            outputs = round_to_8(outputs * config.width)
            for i in range(depth):
                stride = first if i == 0 else 1
                layer.append(MBConv(config, channels, outputs, kernel, stride, expansion, next(rates)))
                channels = outputs
            self.layers.append(layer)
        self.feature_size = round_to_8(LAST_CHANNELS * width)
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
    """Give the convolution with batch norm and activation that the variant is made of."""
    padding = "same" if config.same_padding else None
    return partial(ConvNormAct, act=relu6 if config.lite else silu, eps=config.eps, padding=padding)


def _repeats(config: Config) -> list[int]:
    """Blocks in each stage."""
    repeats = [math.ceil(repeats * config.depth) for _, _, repeats, _, _ in STAGES]
    if config.lite:
        repeats[0], repeats[-1] = STAGES[0][2], STAGES[-1][2]
    return repeats


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
