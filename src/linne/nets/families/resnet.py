"""ResNet: layers that learn what to add to their input; with it ResNeXt and Wide ResNet.

He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016 (arXiv 1512.03385), table 1.
Xie, Girshick, Dollár, Tu, He: "Aggregated Residual Transformations for Deep Neural Networks", CVPR 2017
(arXiv 1611.05431): the 3x3 convolution in 32 groups.
Zagoruyko, Komodakis: "Wide Residual Networks", BMVC 2016 (arXiv 1605.07146): more channels instead of more layers.

The idea: a stack of layers that should be the identity learns zero more easily than the identity, so each block
adds its output to its input. 152 layers train better than 34, where of plain networks 34 train worse than 18.

Departures from the paper: in a bottleneck that halves the map, the 3x3 convolution has the stride, not the first 1x1,
as in Facebook's port to Torch and in torchvision: more multiply-adds, the same parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct, relu
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through

CHANNELS = (64, 128, 256, 512)
"""Of the four stages, before a bottleneck's expansion."""


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    depths : tuple of int
        Blocks in each of the four stages.
    bottleneck : bool
        Blocks of 1x1, 3x3 and 1x1 convolutions instead of two 3x3.
    groups, group_width : int
        Of the 3x3 in a bottleneck: its channels are ``groups * group_width / 64`` times the stage's.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    depths: tuple[int, ...] = (3, 4, 6, 3)
    bottleneck: bool = True
    groups: int = 1
    group_width: int = 64
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class BasicBlock(nn.Module):
    """Two 3x3 convolutions (figure 5, left)."""

    def __init__(self, inputs: int, channels: int, stride: int, drop_path: float) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(inputs, channels, 3, stride)
        self.conv2 = ConvNormAct(channels, channels, 3, act=None)
        self.shortcut = _shortcut(inputs, channels, stride)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, channels, h / stride, w / stride)``."""
        branch = self.conv2(self.conv1(x))
        return F.relu(self.drop_path(branch) + self.shortcut(x), inplace=True)


class Bottleneck(nn.Module):
    """1x1 to few channels, 3x3, 1x1 to four times as many (figure 5, right)."""

    expansion = 4

    def __init__(
        self, inputs: int, channels: int, stride: int, drop_path: float, groups: int, group_width: int
    ) -> None:
        super().__init__()
        width = channels * groups * group_width // 64
        self.conv1 = ConvNormAct(inputs, width, 1)
        self.conv2 = ConvNormAct(width, width, 3, stride, groups)
        self.conv3 = ConvNormAct(width, channels * self.expansion, 1, act=None)
        self.shortcut = _shortcut(inputs, channels * self.expansion, stride)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, 4 channels, h / stride, w / stride)``."""
        branch = self.conv3(self.conv2(self.conv1(x)))
        return F.relu(self.drop_path(branch) + self.shortcut(x), inplace=True)


class Network(nn.Module):
    """ResNet-18 to 152, ResNeXt and Wide ResNet."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        rates = iter(rising(config.drop_path, sum(config.depths)))
        self.stem = nn.Sequential()
        self.stem.conv = nn.Conv2d(config.in_channels, 64, 7, stride=2, padding=3, bias=False)  # 224 -> 112
        self.stem.norm = nn.BatchNorm2d(64)
        self.stem.act = relu()
        self.stem.pool = nn.MaxPool2d(3, stride=2, padding=1)  # -> 56
        self.layers = nn.ModuleList()  # -> 56, 28, 14, 7
        inputs = 64
        for channels, depth in zip(CHANNELS, config.depths, strict=True):
            layer = nn.Sequential()
            for i in range(depth):
                stride = 2 if i == 0 and channels > CHANNELS[0] else 1
                if config.bottleneck:
                    layer.append(Bottleneck(inputs, channels, stride, next(rates), config.groups, config.group_width))
                    inputs = channels * Bottleneck.expansion
                else:
                    layer.append(BasicBlock(inputs, channels, stride, next(rates)))
                    inputs = channels
            self.layers.append(layer)
        self.feature_size = inputs
        self.classifier = nn.Linear(inputs, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 512 or 2048, height / 32, width / 32)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places."""
        pooled = features.mean((2, 3))
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem and each block."""
        return (self.stem, *(block for layer in self.layers for block in layer.children()))


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """The identity, or a projection where the shape changes (option B)."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return ConvNormAct(inputs, outputs, 1, stride, act=None)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
