"""GoogLeNet with batch norm: modules that filter at several scales at once.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: "Going Deeper with Convolutions", CVPR 2015
(arXiv 1409.4842), table 1 and section 5. Batch norm in it: Ioffe, Szegedy, ICML 2015 (arXiv 1502.03167). The paper's
own form is `linne.nets.families.googlenet_2014`.

The idea: objects have many sizes, so each module filters by 1x1, 3x3 and 5x5 side by side, and 1x1 convolutions
before the large filters make that affordable. The mean over places stands where AlexNet and VGG have dense layers.

Departures from the paper, all as torchvision has them, for whose weights this form is:

- Batch norm and no bias in every convolution, and no local response normalisation.
- 3x3 in the place of 5x5 in every module, as in TensorFlow's slim, where the weights come from.
- The fourth pooling is 2x2.
- Auxiliary heads average the map to 4x4 in windows that follow its size, not 5x5 with stride 3.
- Dropout before the classifier is 0.2, not 0.4.

torchvision's network takes images in ImageNet's mean and deviation and scales them to mean and deviation 0.5 inside
(`transform_input`). That is no part of the network here: the weights' pixel specification says 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct
from linne.nets.blocks.stages import through

EPSILON = 1e-3

# Table 1: 1x1; 3x3 after a 1x1; "5x5" after a 1x1; 1x1 after the pooling.
MODULES = (
    ((64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)),  # 3a, 3b
    (
        (192, (96, 208), (16, 48), 64),  # 4a
        (160, (112, 224), (24, 64), 64),
        (128, (128, 256), (24, 64), 64),
        (112, (144, 288), (32, 64), 64),  # 4d
        (256, (160, 320), (32, 128), 128),
    ),
    ((256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)),  # 5a, 5b
)
POOLS = (3, 3, 2)
"""Side of the window that halves the map before each of the three groups of modules."""

TAPS = ((4, 512), (7, 528))
"""Stages before each auxiliary head, and channels there: after 4a and 4d."""

HIDDEN = 1024
"""Units of the hidden layer in the auxiliary heads."""


@dataclass(frozen=True, slots=True)
class Config:
    """With or without what only training uses.

    Attributes
    ----------
    auxiliary : bool
        Two more heads, after 4a and 4d, whose losses the paper adds at a weight of 0.3.
    dropout : float
        Probability of dropping a feature before the classifier.
    auxiliary_dropout : float
        The same in the auxiliary heads.
    """

    auxiliary: bool = False
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.2
    auxiliary_dropout: float = 0.7


class Inception(nn.Module):
    """Four branches side by side (figure 2b), behind a pooling where the map is halved."""

    def __init__(
        self, inputs: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int, pool: int | None
    ) -> None:
        super().__init__()
        self.halve = nn.MaxPool2d(pool, 2, ceil_mode=True) if pool else nn.Identity()
        self.one = _convolution(inputs, one, 1)
        self.three = nn.Sequential(_convolution(inputs, three[0], 1), _convolution(*three, 3))
        self.five = nn.Sequential(_convolution(inputs, five[0], 1), _convolution(*five, 3))
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _convolution(inputs, pooled, 1))

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h, w)``, or half of each side."""
        x = self.halve(x)
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)


class AuxiliaryHead(nn.Module):
    """A small classifier on an inner map, so that gradients reach the first layers."""

    def __init__(self, inputs: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.conv = _convolution(inputs, 128, 1)
        self.hidden = nn.Linear(128 * 4 * 4, HIDDEN)
        self.dropout = nn.Dropout(dropout)
        self.classifier = _classifier(HIDDEN, classes)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to logits ``(batch, classes)``."""
        x = self.conv(F.adaptive_avg_pool2d(x, 4)).flatten(1)
        logits: Tensor = self.classifier(self.dropout(F.relu(self.hidden(x), inplace=True)))
        return logits


class Network(nn.Module):
    """GoogLeNet, also called Inception-v1, with batch norm."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.stem = nn.Sequential()
        self.stem.conv1 = _convolution(config.in_channels, 64, 7, stride=2)  # 224 -> 112
        self.stem.pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # -> 56
        self.stem.conv2 = _convolution(64, 64, 1)
        self.stem.conv3 = _convolution(64, 192, 3)
        self.layers = nn.ModuleList()  # -> 28, 14, 7
        inputs = 192
        for modules, pool in zip(MODULES, POOLS, strict=True):
            layer = nn.Sequential()
            for i, (one, three, five, pooled) in enumerate(modules):
                layer.append(Inception(inputs, one, three, five, pooled, pool if i == 0 else None))
                inputs = one + three[1] + five[1] + pooled
            self.layers.append(layer)
        self.feature_size = inputs
        self.auxiliary = nn.ModuleList()
        if config.auxiliary:
            for _, inputs in TAPS:
                self.auxiliary.append(AuxiliaryHead(inputs, config.classes, config.auxiliary_dropout))
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = _classifier(self.feature_size, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 1024, height / 32, width / 32)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places, ``(batch, 1024)``."""
        pooled = features.mean(dim=(2, 3))
        return pooled if pre_logits else self.classifier(self.dropout(pooled))

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def forward_auxiliary(self, images: Tensor) -> tuple[Tensor, ...]:
        """Images to the logits of every head, the last layer's first, then in the order of the layers."""
        stages, x, start = self.stages(), images, 0
        others = []
        for head, (tap, _) in zip(self.auxiliary, TAPS, strict=False):
            x = through(stages[start:tap], x, self.checkpointing)
            others.append(head(x))
            start = tap
        return (self.forward_head(through(stages[start:], x, self.checkpointing)), *others)

    def replace_head(self, classes: int) -> None:
        """Put new classifiers of `classes` outputs in place, in the auxiliary heads too."""
        self.classifier = _classifier(self.feature_size, classes).to(self.classifier.weight)
        for head in self.auxiliary:
            head.classifier = _classifier(HIDDEN, classes).to(next(head.parameters()))

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem and each of the nine modules."""
        return (self.stem, *(module for layer in self.layers for module in layer.children()))


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> ConvNormAct:
    return ConvNormAct(inputs, outputs, kernel, stride, eps=EPSILON)


def _classifier(inputs: int, classes: int) -> nn.Linear:
    classifier = nn.Linear(inputs, classes)
    _initialise(classifier)
    return classifier


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.01)
