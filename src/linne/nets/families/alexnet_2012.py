"""AlexNet as it won ImageNet in 2012: two towers that meet in some layers, and local response normalisation.

Krizhevsky, Sutskever, Hinton: "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012, section 3
and figure 2.

The idea: LeNet's plan with a thousand times its parameters learns ImageNet, if ReLU keeps gradients alive, if dropout
and augmented images keep it from memorising, and if two GPUs share the work. Each GPU holds half of the maps, and its
filters see the other's only in the third convolution and in the dense layers.

Departures from the paper: images have 227 pixels a side and no zeros around them (224, as the paper says, gives a first
map of 54 x 54 and not its 55 x 55); the last map of images of other sizes is averaged to 6x6. The towers are groups of
convolutions, on one GPU. Response normalisation counts all maps of a layer, as the formula says ("N is the total number
of kernels in the layer"), and so sees one or two of the other tower's at the border between the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from linne.nets.blocks.average_to import average_to
from linne.nets.blocks.conv_norm_act import relu
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.local_response_norm import LocalResponseNorm
from linne.nets.blocks.stages import through

TOWERS = 2

SIDE = 6
"""Of the map that enters the dense layers."""

HIDDEN = 4096

WINDOW, K, ALPHA = 5, 2.0, 1e-4
"""Of local response normalisation (section 3.3)."""

BIASES = (0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0)
"""Of the eight layers at first: ones keep the ReLUs behind them at work from the beginning (section 5)."""


@dataclass(frozen=True, slots=True)
class Config:
    """AlexNet has one size.

    Attributes
    ----------
    dropout : float
        Probability of dropping a feature behind each hidden layer.
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
            _layer(nn.Conv2d(config.in_channels, 96, 11, stride=4), norm=True, pool=True),  # 227 -> 55 -> 27
            _layer(nn.Conv2d(96, 256, 5, padding=2, groups=TOWERS), norm=True, pool=True),  # -> 13
            _layer(nn.Conv2d(256, 384, 3, padding=1)),
            _layer(nn.Conv2d(384, 384, 3, padding=1, groups=TOWERS)),
            _layer(nn.Conv2d(384, 256, 3, padding=1, groups=TOWERS), pool=True),  # -> 6
        )
        self.head = nn.Sequential()
        self.head.fc6 = nn.Linear(256 * SIDE * SIDE, HIDDEN)
        self.head.act6 = relu()
        self.head.dropout6 = nn.Dropout(config.dropout)
        self.head.fc7 = nn.Linear(HIDDEN, HIDDEN)
        self.head.act7 = relu()
        self.dropout = nn.Dropout(config.dropout)
        self.feature_size = HIDDEN
        self.classifier = nn.Linear(HIDDEN, config.classes)
        self._initialise()

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 256, about height / 32, width / 32)``: 6 x 6 at 227."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to the second hidden layer, ``(batch, 4096)``."""
        vector: Tensor = self.head(average_to(features, SIDE).flatten(1))
        return vector if pre_logits else self.classifier(self.dropout(vector))

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier, BIASES[-1])

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the five convolutions, each with what follows it."""
        return tuple(self.layers)

    def _initialise(self) -> None:
        """Draw weights as section 5 says."""
        layers = [module for module in self.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
        for layer, bias in zip(layers, BIASES, strict=True):
            _initialise(layer, bias)


def _layer(conv: nn.Conv2d, norm: bool = False, pool: bool = False) -> nn.Module:
    """Convolution, ReLU, normalisation, and pooling where windows of 3 lie 2 apart and so overlap (section 3.4)."""
    layer = nn.Sequential()
    layer.conv = conv
    layer.act = relu()
    if norm:
        layer.norm = LocalResponseNorm(WINDOW, ALPHA, K)
    if pool:
        layer.pool = nn.MaxPool2d(3, stride=2)
    return layer


def _initialise(layer: nn.Conv2d | nn.Linear, bias: float) -> None:
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.constant_(layer.bias, bias)  # type: ignore[arg-type]
