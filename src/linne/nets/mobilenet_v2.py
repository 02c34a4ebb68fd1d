"""MobileNetV2: inverted residuals with linear bottlenecks.

Sandler, Howard, Zhu, Zhmoginov, Chen: "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018
(arXiv 1801.04381), table 2.

Departures from the paper: none in the network. As in the authors' code, channels are rounded to multiples of 8,
the last 1x1 convolution is widened for multipliers above 1 but not narrowed below, and dropout of 0.2 stands
before the classifier.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

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
    """

    width: float = 1.0
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.2


class ConvNormAct(nn.Sequential):
    """Convolution without bias, batch norm, ReLU6 (left out in a linear bottleneck)."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        if act:
            self.act = nn.ReLU6(inplace=True)


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel by 3x3, project by 1x1 without a non-linearity (figure 4)."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = ConvNormAct(inputs, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNormAct(hidden, hidden, 3, stride, groups=hidden)
        self.project = ConvNormAct(hidden, outputs, 1, act=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + out if self.residual else out


class Network(nn.Module):
    """MobileNetV2."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        channels = _round_to_8(STEM_CHANNELS * config.width)
        self.stem = ConvNormAct(config.in_channels, channels, 3, stride=2)
        blocks = []
        for expansion, width, repeats, stride in STAGES:
            outputs = _round_to_8(width * config.width)
            for i in range(repeats):
                blocks.append(InvertedResidual(channels, outputs, stride if i == 0 else 1, expansion))
                channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.feature_size = _round_to_8(LAST_CHANNELS * max(1.0, config.width))
        self.last = ConvNormAct(channels, self.feature_size, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.feature_size, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 1280, height / 32, width / 32)`` at width 1."""
        for stage in self.stages():
            images = stage(images)
        return images

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places, ``(batch, 1280)``."""
        pooled = features.mean(dim=(2, 3))
        return pooled if pre_logits else self.classifier(self.dropout(pooled))

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = nn.Linear(self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem, each of the 17 inverted residuals, and the last convolution."""
        return (self.stem, *self.blocks, self.last)


def _round_to_8(channels: float) -> int:
    """Nearest multiple of 8, at least 8, and never more than a tenth below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)
