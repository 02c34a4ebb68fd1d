"""VGG: nothing but 3x3 convolutions, in depth.

Simonyan, Zisserman: "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015 (arXiv 1409.1556),
table 1, columns A, B, D and E. The variants with batch norm are torchvision's.

The idea: three 3x3 convolutions see as far as one 7x7, with about half its weights and three non-linearities instead of
one. So the network has one kind of layer, and depth alone is varied: from 11 layers to 19 accuracy rises.

Departures from the paper: weights are drawn so that signals keep their size (the paper started deep networks from the
trained layers of the shallowest). The last map of images of other sizes than 224 is averaged to 7x7; the paper applies
the dense layers at every place of it and averages the scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from linne.nets.blocks.average_to import average_to
from linne.nets.blocks.conv_norm_act import relu
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through

CHANNELS = (64, 128, 256, 512, 512)

SIDE = 7
"""Of the map that enters the dense layers."""

HIDDEN = 4096


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    depths : tuple of int
        Convolutions before each of the five poolings.
    norm : bool
        Batch norm behind every convolution.
    dropout : float
        Probability of dropping a feature behind each hidden layer.
    """

    depths: tuple[int, ...] = (2, 2, 3, 3, 3)
    norm: bool = False
    classes: int = 1000
    in_channels: int = 3
    dropout: float = 0.5


class Network(nn.Module):
    """VGG-11 to 19, with or without batch norm."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.layers = nn.Sequential()  # in one row, as torchvision counts them: its weights fit all variants by number
        inputs = config.in_channels
        for channels, depth in zip(CHANNELS, config.depths, strict=True):
            for _ in range(depth):
                self.layers.append(nn.Conv2d(inputs, channels, 3, padding=1))
                if config.norm:
                    self.layers.append(nn.BatchNorm2d(channels))
                self.layers.append(relu())
                inputs = channels
            self.layers.append(nn.MaxPool2d(2))  # 224 -> 112, 56, 28, 14, 7
        starts = [i for i, layer in enumerate(self.layers) if isinstance(layer, nn.Conv2d)]
        self._stages = tuple(self.layers[start:stop] for start, stop in pairwise([*starts, len(self.layers)]))
        self.head = nn.Sequential()
        self.head.fc6 = nn.Linear(CHANNELS[-1] * SIDE * SIDE, HIDDEN)
        self.head.act6 = relu()
        self.head.dropout6 = nn.Dropout(config.dropout)
        self.head.fc7 = nn.Linear(HIDDEN, HIDDEN)
        self.head.act7 = relu()
        self.dropout = nn.Dropout(config.dropout)
        self.feature_size = HIDDEN
        self.classifier = nn.Linear(HIDDEN, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 512, height / 32, width / 32)``."""
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
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the convolutions, each with what follows it up to the next."""
        return self._stages


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
