"""GoogLeNet as its paper has it: modules that filter at several scales at once, without batch norm.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: "Going Deeper with Convolutions", CVPR 2015
(arXiv 1409.4842), table 1, figure 3 and section 5. The form with batch norm is `linne.nets.families.googlenet`.

The idea: objects have many sizes, so each module filters by 1x1, 3x3 and 5x5 side by side, and 1x1 convolutions
before the large filters make that affordable. The mean over places stands where AlexNet and VGG have dense layers.

Departures from the paper: none. What it leaves open is as in Guadarrama's port to Caffe, made with Szegedy's help: the
constants of local response normalisation, the first weights (Glorot's, where the authors drew from Gaussians) and
biases, and pooling of cut windows at the right and lower border. Maps of other sizes than 14 x 14 are averaged to it
before an auxiliary head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.average_to import average_to
from linne.nets.blocks.conv_norm_act import relu
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.local_response_norm import LocalResponseNorm
from linne.nets.blocks.stages import through


class Widths(NamedTuple):
    """Channels of one module (a row of table 1)."""

    one: int
    reduce_three: int
    three: int
    reduce_five: int
    five: int
    pool: int

    @property
    def outputs(self) -> int:
        """Of the four branches together."""
        return self.one + self.three + self.five + self.pool


MODULES = (
    (Widths(64, 96, 128, 16, 32, 32), Widths(128, 128, 192, 32, 96, 64)),  # 3a, 3b
    (
        Widths(192, 96, 208, 16, 48, 64),  # 4a
        Widths(160, 112, 224, 24, 64, 64),
        Widths(128, 128, 256, 24, 64, 64),
        Widths(112, 144, 288, 32, 64, 64),  # 4d
        Widths(256, 160, 320, 32, 128, 128),
    ),
    (Widths(256, 160, 320, 32, 128, 128), Widths(384, 192, 384, 48, 128, 128)),  # 5a, 5b
)

TAPS = ((4, 512), (7, 528))
"""Stages before each auxiliary head, and the channels that it sees: of 4a and 4d."""

HIDDEN = 1024
"""Of an auxiliary head."""


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
    dropout: float = 0.4
    auxiliary_dropout: float = 0.7


class Inception(nn.Module):
    """Four branches side by side (figure 2b), behind a pooling where the map is halved."""

    def __init__(self, inputs: int, widths: Widths, halve: bool) -> None:
        super().__init__()
        self.halve = _halving() if halve else nn.Identity()
        self.one = Conv(inputs, widths.one, 1)
        self.three = nn.Sequential(Conv(inputs, widths.reduce_three, 1), Conv(widths.reduce_three, widths.three, 3))
        self.five = nn.Sequential(Conv(inputs, widths.reduce_five, 1), Conv(widths.reduce_five, widths.five, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), Conv(inputs, widths.pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h, w)``, or half of each side."""
        x = self.halve(x)
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)


class Conv(nn.Sequential):
    """Convolution and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
        self.act = relu()


class AuxiliaryHead(nn.Module):
    """A small classifier on an inner map, so that gradients reach the first layers (section 5)."""

    def __init__(self, inputs: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.conv = Conv(inputs, 128, 1)
        self.hidden = nn.Linear(128 * 4 * 4, HIDDEN)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(HIDDEN, classes)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to logits ``(batch, classes)``."""
        x = F.avg_pool2d(average_to(x, 14), 5, stride=3)  # 14 -> 4
        hidden = F.relu(self.hidden(self.conv(x).flatten(1)), inplace=True)
        logits: Tensor = self.classifier(self.dropout(hidden))
        return logits


class Network(nn.Module):
    """GoogLeNet, also called Inception-v1."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.stem = nn.Sequential()
        self.stem.conv1 = Conv(config.in_channels, 64, 7, stride=2)  # 224 -> 112
        self.stem.pool = _halving()  # -> 56
        self.stem.norm1 = _response_norm()
        self.stem.conv2 = Conv(64, 64, 1)
        self.stem.conv3 = Conv(64, 192, 3)
        self.stem.norm2 = _response_norm()
        self.layers = nn.ModuleList()  # -> 28, 14, 7
        inputs = 192
        for modules in MODULES:
            layer = nn.Sequential()
            for i, widths in enumerate(modules):
                layer.append(Inception(inputs, widths, halve=i == 0))
                inputs = widths.outputs
            self.layers.append(layer)
        self.auxiliary = nn.ModuleList()
        if config.auxiliary:
            for _, seen in TAPS:
                self.auxiliary.append(AuxiliaryHead(seen, config.classes, config.auxiliary_dropout))
        self.dropout = nn.Dropout(config.dropout)
        self.feature_size = inputs
        self.classifier = nn.Linear(inputs, config.classes)
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
        """Images to the logits of every head: the last layer's first, then in the order of the layers."""
        stages, x, start = self.stages(), images, 0
        others = []
        for head, (tap, _) in zip(self.auxiliary, TAPS, strict=False):
            x = through(stages[start:tap], x, self.checkpointing)
            others.append(head(x))
            start = tap
        return (self.forward_head(through(stages[start:], x, self.checkpointing)), *others)

    def replace_head(self, classes: int) -> None:
        """Put new classifiers of `classes` outputs in place, in the auxiliary heads too."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)
        for head in self.auxiliary:
            head.classifier = linear_like(head, HIDDEN, classes)
            head.classifier.apply(_initialise)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem and each of the nine modules."""
        return (self.stem, *(module for layer in self.layers for module in layer.children()))


def _halving() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def _response_norm() -> LocalResponseNorm:
    return LocalResponseNorm(5, alpha=1e-4 / 5, k=1.0)  # 1e-4 times the mean of five squares, as in Caffe


def _initialise(module: nn.Module) -> None:
    """Variance 1 / fan-in, and biases that keep the ReLUs at work from the beginning."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        bound = (3 / module.weight[0].numel()) ** 0.5
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.constant_(module.bias, 0.2 if isinstance(module, nn.Conv2d) else 0.0)  # type: ignore[arg-type]
    elif isinstance(module, AuxiliaryHead):  # after what is in it
        nn.init.constant_(module.hidden.bias, 0.2)
