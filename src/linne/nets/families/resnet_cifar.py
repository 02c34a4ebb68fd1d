"""ResNet for 32x32 images, and the same layers without shortcuts, which showed what shortcuts are for.

He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016 (arXiv 1512.03385), section 4.2 and
table 6: 6n + 2 layers, n = 3, 5, 7, 9, 18 and 200.

The idea: a plain stack of 56 layers fits even its training images worse than one of 20, though it could copy them and
let the rest be the identity. With shortcuts that add each block's input to its output, 110 layers train, and are best.

Departures from the paper: none. In its shortcuts without parameters (option A), every second row and column is taken
and the new channels are zero; these come after the old ones, which the paper leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through
from linne.records.errors import LinneError

CHANNELS = (16, 32, 64)
"""Of the three stages, whose maps have 32, 16 and 8 places a side."""


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    depth : int
        Blocks of two layers in each of the three stages: the paper's n.
    shortcuts : bool
        False for the plain twin: the same layers, and nothing is added.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    depth: int = 3
    shortcuts: bool = True
    classes: int = 10
    in_channels: int = 3
    drop_path: float = 0.0


class Block(nn.Module):
    """Two 3x3 convolutions, and the input added to what they give (figure 2)."""

    def __init__(self, inputs: int, channels: int, stride: int, drop_path: float) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(inputs, channels, 3, stride)
        self.conv2 = ConvNormAct(channels, channels, 3, act=None)
        self.shortcut = Shortcut(channels - inputs, stride) if stride > 1 else nn.Identity()
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, channels, h / stride, w / stride)``."""
        branch = self.conv2(self.conv1(x))
        return F.relu(self.drop_path(branch) + self.shortcut(x), inplace=True)


class Shortcut(nn.Module):
    """The identity at every `stride`-th place, with `added` channels of zeros behind it (option A)."""

    def __init__(self, added: int, stride: int) -> None:
        super().__init__()
        self.added = added
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, inputs + added, h / stride, w / stride)``."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added))


class Network(nn.Module):
    """ResNet-20 to 1202 and plain-20 to 110."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        if config.drop_path and not config.shortcuts:
            raise LinneError("the network has no residual branches that could be left out", value="resnet_cifar, plain")
        self.config = config
        self.checkpointing = False
        self.stem = ConvNormAct(config.in_channels, CHANNELS[0], 3)
        self.layers = nn.ModuleList()  # 32 -> 32, 16, 8
        rates = iter(rising(config.drop_path, len(CHANNELS) * config.depth))
        inputs = CHANNELS[0]
        for channels in CHANNELS:
            layer = nn.Sequential()
            for i in range(config.depth):
                stride = 2 if i == 0 and channels > CHANNELS[0] else 1
                if config.shortcuts:
                    layer.append(Block(inputs, channels, stride, next(rates)))
                else:
                    layer.append(ConvNormAct(inputs, channels, 3, stride))
                    layer.append(ConvNormAct(channels, channels, 3))
                inputs = channels
            self.layers.append(layer)
        self.feature_size = inputs
        self.classifier = nn.Linear(inputs, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 64, height / 4, width / 4)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places, ``(batch, 64)``."""
        pooled = features.mean(dim=(2, 3))
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem and each block, or each layer where there are no shortcuts."""
        return (self.stem, *(block for layer in self.layers for block in layer.children()))


def _initialise(module: nn.Module) -> None:
    """He et al. 2015 (arXiv 1502.01852), equation 10."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
