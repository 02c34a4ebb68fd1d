"""MobileNetV1: every convolution in two steps, a filter for each channel and a mixture of channels at each place.

Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam: "MobileNets: Efficient Convolutional Neural Networks
for Mobile Vision Applications" (arXiv 1704.04861, 2017), section 3 and table 1.

The idea: a 3x3 convolution both filters and combines; done one after the other, by a depthwise 3x3 and a pointwise
1x1 convolution, that costs 8 to 9 times less. One multiplier of all widths then trades accuracy for cost.

Departures from the paper: ReLU6 instead of ReLU, as in the authors' code and in the weights that are published for
PyTorch; TensorFlow's uneven padding and its epsilon of 1e-3 in batch norms are not reproduced, also as in those
weights. The last depthwise convolution has stride 1, as in the code and by the table's own sizes, where it prints 2.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct, relu6
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.round_channels import round_to_8
from linne.nets.blocks.stages import through

# channels c, repeats n, stride s of the first block (table 1)
STAGES = (
    (64, 1, 1),
    (128, 2, 2),
    (256, 2, 2),
    (512, 6, 2),
    (1024, 2, 2),
)
STEM_CHANNELS = 32


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    width : float
        Multiplier of every layer's channels.
    """

    width: float = 1.0
    classes: int = 1000
    in_channels: int = 3


class DepthwiseSeparable(nn.Sequential):
    """Filter each channel by 3x3, then mix them by 1x1 (figure 3, right)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.depthwise = ConvNormAct(inputs, inputs, 3, stride, groups=inputs, act=relu6)
        self.pointwise = ConvNormAct(inputs, outputs, 1, act=relu6)


class Network(nn.Module):
    """MobileNetV1."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        channels = round_to_8(STEM_CHANNELS * config.width)
        self.stem = ConvNormAct(config.in_channels, channels, 3, stride=2, act=relu6)  # 224 -> 112
        self.layers = nn.ModuleList()  # -> 112, 56, 28, 14, 7
        for width, repeats, stride in STAGES:
            layer = nn.Sequential()
            outputs = round_to_8(width * config.width)
            for i in range(repeats):
                layer.append(DepthwiseSeparable(channels, outputs, stride if i == 0 else 1))
                channels = outputs
            self.layers.append(layer)
        self.feature_size = channels
        self.classifier = nn.Linear(channels, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 1024, height / 32, width / 32)`` at width 1."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places, ``(batch, 1024)``."""
        pooled = features.mean((2, 3))
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem and each of the 13 blocks."""
        return (self.stem, *(block for layer in self.layers for block in layer.children()))


def _initialise(module: nn.Module) -> None:
    """The authors' code draws from a normal distribution, cut at two standard deviations of 0.09."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.09, a=-0.18, b=0.18)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
