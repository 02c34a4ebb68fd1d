"""AlexNet in one tower, the form that libraries ship.

Krizhevsky: "One weird trick for parallelizing convolutional neural networks", 2014 (arXiv 1404.5997), section 5
and its first footnote. The network of 2012 is `linne.nets.families.alexnet_2012`.

The idea: where the batch is split between GPUs instead of the network, the two towers of 2012 need not be kept apart.
So every convolution sees all maps of the layer before, and about as many parameters lie in fewer maps.

Departures from the paper, all as torchvision has them, whose weights fit:

- The fourth convolution has 256 maps, where the paper says 384; but only 256 give the paper's 0.2 % more parameters
  than in 2012.
- No local response normalisation.
- Dropout lies before the two hidden dense layers, not behind them.
- The last map of images of other sizes than 224 is averaged to 6x6.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from linne.nets.blocks.average_to import average_to
from linne.nets.blocks.conv_norm_act import relu
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through

SIDE = 6
"""Of the map that enters the dense layers."""

HIDDEN = 4096


@dataclass(frozen=True, slots=True)
class Config:
    """AlexNet has one size.

    Attributes
    ----------
    dropout : float
        Probability of dropping a feature before each hidden layer.
    """

    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.5


class Network(nn.Module):
    """Five convolutions, three dense layers."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.layers = nn.Sequential(
            _layer(config.in_channels, 64, 11, stride=4, padding=2, pool=True),  # 224 -> 55 -> 27
            _layer(64, 192, 5, padding=2, pool=True),  # -> 13
            _layer(192, 384, 3, padding=1),
            _layer(384, 256, 3, padding=1),
            _layer(256, 256, 3, padding=1, pool=True),  # -> 6
        )
        self.head = nn.Sequential()
        self.head.dropout6 = nn.Dropout(config.dropout)
        self.head.fc6 = nn.Linear(256 * SIDE * SIDE, HIDDEN)
        self.head.act6 = relu()
        self.head.dropout7 = nn.Dropout(config.dropout)
        self.head.fc7 = nn.Linear(HIDDEN, HIDDEN)
        self.head.act7 = relu()
        self.feature_size = HIDDEN
        self.classifier = nn.Linear(HIDDEN, config.classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 256, about height / 32, width / 32)``: 6 x 6 at 224."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to the second hidden layer, ``(batch, 4096)``."""
        vector: Tensor = self.head(average_to(features, SIDE).flatten(1))
        return vector if pre_logits else self.classifier(vector)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the five convolutions, each with what follows it."""
        return tuple(self.layers)


def _layer(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0, pool: bool = False) -> nn.Module:
    """Convolution, ReLU, and pooling where windows of 3 lie 2 apart and so overlap."""
    layer = nn.Sequential()
    layer.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding)
    layer.act = relu()
    if pool:
        layer.pool = nn.MaxPool2d(3, stride=2)
    return layer
