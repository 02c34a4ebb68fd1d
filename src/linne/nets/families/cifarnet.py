"""CifarNet: what is left of a convolutional network when only seconds of training on 32x32 images count.

Jordan: "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024 (arXiv 2404.00498), section 3; after Page: "How to Train
Your ResNet" (2018) and hlb-CIFAR10 (2023).

The idea: 2x2 filters that whiten patches stand first and need no training; three groups of two
convolutions follow, which begin as the identity as far as their channels go. So the first steps already learn classes
instead of edges. Batch norms have no scales, since the next convolution's weights are scales enough, and their
statistics follow the last few batches, since there are few.

Departures from the paper: the last pooling takes the largest of all places, not of 3x3, which is the same for images of
32 pixels and works for others; the classifier has offsets, which begin at zero. Filters of the first layer learn like
any others unless training leaves them out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through

KERNEL = 2
"""Pixels a side of the patches that the first layer whitens."""

MOMENTUM = 0.4
"""Share of the latest batch in a batch norm's statistics; PyTorch's default is 0.1."""


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    widths : tuple of int
        Channels of the groups; the first layer has two filters for each number in a patch.
    """

    widths: tuple[int, ...] = (64, 256, 256)
    classes: int = 10
    in_channels: int = 3


class Norm(nn.BatchNorm2d):
    """Batch norm that shifts and does not scale."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-12, momentum=MOMENTUM)
        scale = self.weight.data
        del self.weight
        self.register_buffer("weight", scale)


class Group(nn.Module):
    """Two 3x3 convolutions; the first one's map is halved by taking the largest of 2x2 places."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.conv1 = _convolution(inputs, channels)
        self.pool = nn.MaxPool2d(2)
        self.norm1 = Norm(channels)
        self.conv2 = _convolution(channels, channels)
        self.norm2 = Norm(channels)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, channels, h / 2, w / 2)``."""
        x = self.act(self.norm1(self.pool(self.conv1(x))))
        out: Tensor = self.act(self.norm2(self.conv2(x)))
        return out


class Network(nn.Module):
    """CifarNet for 94% and 95%."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        channels = 2 * config.in_channels * KERNEL**2
        self.stem = nn.Sequential(nn.Conv2d(config.in_channels, channels, KERNEL), nn.GELU())
        self.groups = nn.ModuleList()  # 31 -> 15, 7, 3
        for width in config.widths:
            self.groups.append(Group(channels, width))
            channels = width
        self.feature_size = channels
        self.classifier = _of_variance_one(nn.Linear(channels, config.classes))

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 256, height / 8, width / 8)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its channels' largest values over 256, ``(batch, 256)``."""
        pooled = features.amax(dim=(2, 3)) / self.feature_size
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = _of_variance_one(linear_like(self.classifier, self.feature_size, classes))

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the whitening layer and each group."""
        return (self.stem, *self.groups)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """3x3, without bias; the first filters are the identity."""
    made = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    nn.init.dirac_(made.weight.data[:inputs])
    return made


def _of_variance_one(classifier: nn.Linear) -> nn.Linear:
    """Begin with weights as large as the vector's division by its length asks for, and no offsets."""
    nn.init.uniform_(classifier.weight, -math.sqrt(3), math.sqrt(3))
    nn.init.zeros_(classifier.bias)
    return classifier
