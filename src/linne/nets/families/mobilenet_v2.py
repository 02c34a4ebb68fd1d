"""MobileNetV2: inverted residuals with linear bottlenecks.

Sandler, Howard, Zhu, Zhmoginov, Chen: "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018
(arXiv 1801.04381), table 2.

The idea: features need few channels to be kept and many to be computed with. So blocks are narrow at their ends,
where they are added, and wide inside, where a depthwise convolution filters; the narrow ends have no ReLU, which
would destroy what they keep.

Departures from the paper: none in the network; TensorFlow's uneven padding and its epsilon of 1e-3 in batch norms are
not reproduced, as in the weights that are published for PyTorch. As in the authors' code, channels are rounded to
multiples of 8, the last 1x1 convolution is widened for multipliers above 1 but not narrowed below, and dropout of 0.2
stands before the classifier.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct, relu6
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.round_channels import round_to_8
from linne.nets.blocks.stages import through

# expansion t, channels c, repeats n, stride s of the first block (table 2)
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM_CHANNELS = 32
LAST_CHANNELS = 1280


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    width : float
        Multiplier of every layer's channels.
    dropout : float
        Probability of dropping a feature before the classifier.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    width: float = 1.0
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.2
    drop_path: float = 0.0


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel by 3x3, project by 1x1 without a non-linearity (figure 4)."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, drop_path: float) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = ConvNormAct(inputs, hidden, 1, act=relu6) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNormAct(hidden, hidden, 3, stride, groups=hidden, act=relu6)
        self.project = ConvNormAct(hidden, outputs, 1, act=None)
        self.residual = stride == 1 and inputs == outputs
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + self.drop_path(out) if self.residual else out


class Network(nn.Module):
    """MobileNetV2."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        channels = round_to_8(STEM_CHANNELS * config.width)
        self.stem = ConvNormAct(config.in_channels, channels, 3, stride=2, act=relu6)  # 224 -> 112
        rates = iter(rising(config.drop_path, sum(repeats for _, _, repeats, _ in STAGES)))
        self.layers = nn.ModuleList()  # -> 112, 56, 28, 14, 14, 7, 7
        for expansion, width, repeats, stride in STAGES:
            layer = nn.Sequential()
            outputs = round_to_8(width * config.width)
            for i in range(repeats):
                layer.append(InvertedResidual(channels, outputs, stride if i == 0 else 1, expansion, next(rates)))
                channels = outputs
            self.layers.append(layer)
        self.feature_size = round_to_8(LAST_CHANNELS * max(1.0, config.width))
        self.last = ConvNormAct(channels, self.feature_size, 1, act=relu6)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.feature_size, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 1280, height / 32, width / 32)`` at width 1."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places, ``(batch, 1280)``."""
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
        """Give the stem, each of the 17 inverted residuals, and the last convolution."""
        return (self.stem, *(block for layer in self.layers for block in layer.children()), self.last)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)
