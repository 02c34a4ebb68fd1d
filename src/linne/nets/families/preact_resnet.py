"""Pre-activation ResNet: norm and ReLU come before each convolution, so that shortcuts are nothing but additions.

He, Zhang, Ren, Sun: "Identity Mappings in Deep Residual Networks", ECCV 2016 (arXiv 1603.05027), figure 1b and
section 4; the networks for 32x32 images: 6n + 2 layers of basic blocks, 9n + 2 of bottlenecks.

The idea: in ResNet a ReLU follows each addition, so a signal that passes a thousand blocks is cut a thousand times.
With norm and ReLU inside the branch instead, what leaves the last block is the first's input plus what each branch
adds, and so is the gradient.

Departures from the paper: none known. As in the authors' code (KaimingHe/resnet-1k-layers), shortcuts are 1x1
convolutions where the width changes, the first convolution of a block has the stride, and where the width changes or
nothing but the stem comes before, norm and ReLU stand before both the branch and the shortcut. That code has
bottlenecks only; the basic blocks follow the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import relu
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through

STEM_CHANNELS = 16
CHANNELS = (16, 32, 64)
"""Of the three stages, before a bottleneck's expansion; their maps have 32, 16 and 8 places a side."""


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    depth : int
        Blocks in each of the three stages: the paper's n.
    bottleneck : bool
        Blocks of 1x1, 3x3 and 1x1 convolutions instead of two 3x3.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    depth: int = 18
    bottleneck: bool = True
    classes: int = 10
    in_channels: int = 3
    drop_path: float = 0.0


class PreConv(nn.Module):
    """Batch norm, ReLU, convolution without bias.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel : int
        Height and width of the filter.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h, w)``."""
        out: Tensor = self.conv(F.relu(self.norm(x), inplace=True))
        return out


class BasicBlock(nn.Module):
    """Two 3x3 convolutions; `shared` says that the shortcut too takes what the first norm and ReLU give."""

    expansion = 1

    def __init__(self, inputs: int, channels: int, stride: int, shared: bool, drop_path: float) -> None:
        super().__init__()
        self.shared = shared
        self.norm = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, padding=1, bias=False)
        self.conv2 = PreConv(channels, channels, 3)
        self.shortcut = _shortcut(inputs, channels, stride)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, channels, h / stride, w / stride)``."""
        active = F.relu(self.norm(x), inplace=True)
        branch = self.conv2(self.conv1(active))
        out: Tensor = self.drop_path(branch) + self.shortcut(active if self.shared else x)
        return out


class Bottleneck(nn.Module):
    """1x1 to few channels, 3x3, 1x1 to four times as many; `shared` as in `BasicBlock`."""

    expansion = 4

    def __init__(self, inputs: int, channels: int, stride: int, shared: bool, drop_path: float) -> None:
        super().__init__()
        self.shared = shared
        self.norm = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, channels, 1, stride, bias=False)
        self.conv2 = PreConv(channels, channels, 3)
        self.conv3 = PreConv(channels, channels * self.expansion, 1)
        self.shortcut = _shortcut(inputs, channels * self.expansion, stride)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, 4 channels, h / stride, w / stride)``."""
        active = F.relu(self.norm(x), inplace=True)
        branch = self.conv3(self.conv2(self.conv1(active)))
        out: Tensor = self.drop_path(branch) + self.shortcut(active if self.shared else x)
        return out


class Network(nn.Module):
    """Pre-activation ResNet-110, 164 and 1001 for CIFAR."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.stem = nn.Conv2d(config.in_channels, STEM_CHANNELS, 3, padding=1, bias=False)
        self.layers = nn.ModuleList()  # 32 -> 32, 16, 8
        block = Bottleneck if config.bottleneck else BasicBlock
        rates = iter(rising(config.drop_path, len(CHANNELS) * config.depth))
        inputs = STEM_CHANNELS
        for channels in CHANNELS:
            layer = nn.Sequential()
            for i in range(config.depth):
                stride = 2 if i == 0 and channels > CHANNELS[0] else 1
                layer.append(block(inputs, channels, stride, i == 0, next(rates)))
                inputs = channels * block.expansion
            self.layers.append(layer)
        self.last = nn.Sequential()
        self.last.norm = nn.BatchNorm2d(inputs)
        self.last.act = relu()
        self.feature_size = inputs
        self.classifier = nn.Linear(inputs, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 64 or 256, height / 4, width / 4)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places."""
        pooled = features.mean(dim=(2, 3))
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem, each block, and the last norm with its ReLU."""
        return (self.stem, *(block for layer in self.layers for block in layer.children()), self.last)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """The identity, or a projection where the width changes."""
    return nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
