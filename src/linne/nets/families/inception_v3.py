"""Inception-v3: large filters become chains of small and of one-dimensional ones.

Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: "Rethinking the Inception Architecture for Computer Vision", CVPR 2016
(arXiv 1512.00567), sections 3 to 6 and table 1.

The idea: one 5x5 costs as much as nearly three 3x3, and one 7x7 as much as three and a half pairs of 1x7 and 7x1,
which see as far. Maps shrink in modules where a convolution and a pooling do it side by side, so that nothing is lost
in a narrow place.

Departures from the paper: the layers are those of the authors' code, where table 1 is coarser: in the stem one 1x1
and a second pooling, in the first three modules a 5x5 left as it is, and the auxiliary head by two convolutions. As in
torchvision and timm, averages within the modules count the zeros outside the border (the authors' code does not).

Inside a module, the average over 3x3 places comes after the 1x1 convolution, not before it: both are linear and the
convolution has no bias, so the result is the same, and four to ten times fewer channels are averaged.

torchvision's weights take images in mean and deviation 0.5; its network scales ImageNet's to these inside
(`transform_input`). That is no part of the network here: the weights' pixel specification says 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import relu
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through

EPSILON = 1e-3
FEATURES = 2048
TAP = 9
"""Stages before the auxiliary head: the stem, three modules and five."""

TAPPED = 768
"""Channels there, and in the auxiliary head."""

SMALLEST_MAP = 17
"""Side of the map from which on the auxiliary head's pooling leaves the 5x5 places that it needs."""


@dataclass(frozen=True, slots=True)
class Config:
    """With or without what only training uses.

    Attributes
    ----------
    auxiliary : bool
        A second head on the last map of 17x17, whose loss the authors' code adds at a weight of 0.4.
    dropout : float
        Probability of dropping a feature before the classifier.
    """

    auxiliary: bool = False
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.5


class Convolution(nn.Sequential):
    """Convolution without bias, batch norm, ReLU; `kernel` is the filter's height and width.

    Where `padded`, zeros around the map keep its size; `average` puts the mean over 3x3 places behind the convolution.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int], stride: int = 1, padded: bool = True,
        average: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if padded else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        if average:
            self.average = nn.AvgPool2d(3, stride=1, padding=1)
        self.norm = nn.BatchNorm2d(outputs, EPSILON)
        self.act = relu()


class Concatenated(nn.Module):
    """Modules side by side, their channels behind one another."""

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, sum of outputs, h, w)``, or half of each side."""
        return torch.cat([branch(x) for branch in self.children()], dim=1)


class AuxiliaryHead(nn.Module):
    """A small classifier on an inner map; with batch norm in it, it regularises (section 4)."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.conv1 = Convolution(inputs, 128, (1, 1))
        self.conv2 = Convolution(128, TAPPED, (5, 5), padded=False)
        self.classifier = _auxiliary_classifier(classes)
        _initialise(self.conv1.conv)
        nn.init.trunc_normal_(self.conv2.conv.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to logits ``(batch, classes)``."""
        small = min(x.shape[2:]) < SMALLEST_MAP
        x = F.adaptive_avg_pool2d(x, 5) if small else F.avg_pool2d(x, 5, stride=3)
        logits: Tensor = self.classifier(self.conv2(self.conv1(x)).mean(dim=(2, 3)))
        return logits


class Network(nn.Module):
    """Inception-v3."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.stem = nn.Sequential()
        self.stem.conv1 = Convolution(config.in_channels, 32, (3, 3), stride=2, padded=False)  # 299 -> 149
        self.stem.conv2 = Convolution(32, 32, (3, 3), padded=False)  # -> 147
        self.stem.conv3 = Convolution(32, 64, (3, 3))
        self.stem.pool1 = nn.MaxPool2d(3, stride=2)  # -> 73
        self.stem.conv4 = Convolution(64, 80, (1, 1))
        self.stem.conv5 = Convolution(80, 192, (3, 3), padded=False)  # -> 71
        self.stem.pool2 = nn.MaxPool2d(3, stride=2)  # -> 35
        self.layers = nn.ModuleList(
            (
                nn.Sequential(_fine(192, 32), _fine(256, 64), _fine(288, 64)),  # 35
                nn.Sequential(_to_middle(288), *(_middle(768, width) for width in (128, 160, 160, 192))),  # -> 17
                nn.Sequential(_to_coarse(768), _coarse(1280), _coarse(2048)),  # -> 8
            )
        )
        self.feature_size = FEATURES
        self.auxiliary = nn.ModuleList()
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(FEATURES, config.classes)
        self.apply(_initialise)
        if config.auxiliary:
            self.auxiliary.append(AuxiliaryHead(TAPPED, config.classes))

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)``, 75 pixels or more a side, to ``(batch, 2048, ...)``: 8x8 places of 299."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places, ``(batch, 2048)``."""
        pooled = features.mean(dim=(2, 3))
        return pooled if pre_logits else self.classifier(self.dropout(pooled))

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def forward_auxiliary(self, images: Tensor) -> tuple[Tensor, ...]:
        """Images to the logits of every head, the last layer's first."""
        stages = self.stages()
        x = through(stages[:TAP], images, self.checkpointing)
        others = [head(x) for head in self.auxiliary]
        return (self.forward_head(through(stages[TAP:], x, self.checkpointing)), *others)

    def replace_head(self, classes: int) -> None:
        """Put new classifiers of `classes` outputs in place, in the auxiliary head too."""
        self.classifier = linear_like(self.classifier, FEATURES, classes)
        _initialise(self.classifier)
        for head in self.auxiliary:
            head.classifier = _auxiliary_classifier(classes).to(next(head.parameters()))

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem and each of the eleven modules."""
        return (self.stem, *(module for layer in self.layers for module in layer.children()))


def _fine(inputs: int, pooled: int) -> Concatenated:
    """Give a module for 35x35 places (figure 5)."""
    return Concatenated(
        one=Convolution(inputs, 64, (1, 1)),
        five=_chain(inputs, (48, 1, 1), (64, 5, 5)),
        three_twice=_chain(inputs, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
        pool=Convolution(inputs, pooled, (1, 1), average=True),
    )


def _to_middle(inputs: int) -> Concatenated:
    """35x35 to 17x17 places (figure 10)."""
    return Concatenated(
        three=_shrink(inputs, 384),
        three_twice=_chain(inputs, (64, 1, 1), (96, 3, 3)).append(_shrink(96, 96)),
        pool=nn.MaxPool2d(3, stride=2),
    )


def _middle(inputs: int, width: int) -> Concatenated:
    """Give a module for 17x17 places: 7x7 as 1x7 and 7x1 (figure 6)."""
    return Concatenated(
        one=Convolution(inputs, 192, (1, 1)),
        seven=_chain(inputs, (width, 1, 1), (width, 1, 7), (192, 7, 1)),
        seven_twice=_chain(inputs, (width, 1, 1), (width, 7, 1), (width, 1, 7), (width, 7, 1), (192, 1, 7)),
        pool=Convolution(inputs, 192, (1, 1), average=True),
    )


def _to_coarse(inputs: int) -> Concatenated:
    """17x17 to 8x8 places."""
    return Concatenated(
        three=_chain(inputs, (192, 1, 1)).append(_shrink(192, 320)),
        seven=_chain(inputs, (192, 1, 1), (192, 1, 7), (192, 7, 1)).append(_shrink(192, 192)),
        pool=nn.MaxPool2d(3, stride=2),
    )


def _coarse(inputs: int) -> Concatenated:
    """Give a module for 8x8 places: 1x3 and 3x1 side by side, for many features (figure 7)."""
    return Concatenated(
        one=Convolution(inputs, 320, (1, 1)),
        three=_chain(inputs, (384, 1, 1)).append(_fork(384)),
        three_twice=_chain(inputs, (448, 1, 1), (384, 3, 3)).append(_fork(384)),
        pool=Convolution(inputs, 192, (1, 1), average=True),
    )


def _chain(inputs: int, *layers: tuple[int, int, int]) -> nn.Sequential:
    """Give convolutions one after the other: the channels of each, and its filter's height and width."""
    chain = nn.Sequential()
    for outputs, height, width in layers:
        chain.append(Convolution(inputs, outputs, (height, width)))
        inputs = outputs
    return chain


def _shrink(inputs: int, outputs: int) -> Convolution:
    return Convolution(inputs, outputs, (3, 3), stride=2, padded=False)


def _fork(channels: int) -> Concatenated:
    return Concatenated(wide=Convolution(channels, channels, (1, 3)), tall=Convolution(channels, channels, (3, 1)))


def _auxiliary_classifier(classes: int) -> nn.Linear:
    classifier = nn.Linear(TAPPED, classes)
    nn.init.trunc_normal_(classifier.weight, std=0.001)
    return classifier


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.1)
