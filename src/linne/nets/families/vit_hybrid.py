"""ViT hybrid: a transformer that reads the feature map of a ResNet instead of patches.

Dosovitskiy et al.: "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", ICLR 2021
(arXiv 2010.11929), sections 3.1 ("Hybrid Architecture") and 4.1. R26 + ViT-S/32 and R50 + ViT-L/32: Steiner et al.,
"How to Train Your ViT? Data, Augmentation, and Regularization in Vision Transformers", TMLR 2022 (arXiv 2106.10270).
The ResNet has the convolutions and norms of Kolesnikov et al., "Big Transfer (BiT)", ECCV 2020 (arXiv 1912.11370):
weights standardised (Qiao et al., arXiv 1903.10520) and group norm (Wu, He, arXiv 1803.08494) in the place of batch
norm, so that an image's features do not depend on its batch. Unlike BiT's it is not pre-activated.

The idea: convolutions find edges and parts well and with little data, attention relates what is far apart. So each
place of a late feature map, a patch of one place, becomes a token of a ViT.

Departures from the paper: epsilons are PyTorch's and timm's, 1e-8 on the variance of a filter and 1e-5 on that of a
group (the authors: 1e-5 on a filter's standard deviation, 1e-6 on a group's variance; the group norm after each
convolution hides the difference); for other sizes than the one trained on, positions are resampled bicubic and
antialiased (the authors' code: linear); no dropout; stochastic depth in the transformer only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import SamePadding, relu
from linne.nets.blocks.drop_path import rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.resample import resample_positions
from linne.nets.blocks.stages import through
from linne.nets.blocks.transformer import EPSILON, EncoderBlock

GROUPS = 32
STANDARD_EPSILON = 1e-8


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    layers : tuple of int
        Residual blocks in each stage of the ResNet. Three stages give a token for each 16x16 pixels, four for each
        32x32; (3, 4, 9) is ResNet-50 with the blocks of its fourth stage in the third.
    width, depth, heads : int
        Length of a token, blocks of the transformer, heads of attention.
    image_size : int
        Side of the images that positions are learned for, in pixels.
    drop_path : float
        Probability of leaving a branch out, at the transformer's last block.
    """

    layers: tuple[int, ...] = (3, 4, 9)
    width: int = 768
    depth: int = 12
    heads: int = 12
    image_size: int = 224
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class StandardisedConv(nn.Conv2d):
    """Convolution whose filters are shifted and scaled to mean 0 and variance 1: a layer norm of each."""

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        weight = F.layer_norm(self.weight, self.weight.shape[1:], eps=STANDARD_EPSILON)
        return F.conv2d(x, weight, None, self.stride, self.padding)


class ConvGroupNormAct(nn.Sequential):
    """Standardised convolution, padded as TensorFlow does, group norm, and ReLU unless `act` is False."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, act: bool = True) -> None:
        super().__init__()
        even = kernel > 1 and stride > 1  # what an even input needs differs from side to side
        if even:
            self.pad = SamePadding(kernel, stride)
        self.conv = StandardisedConv(inputs, outputs, kernel, stride, 0 if even else kernel // 2, bias=False)
        self.norm = nn.GroupNorm(GROUPS, outputs)
        if act:
            self.act = relu()


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 to four times the channels; the first of a stage projects its input."""

    expansion = 4

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        outputs = channels * self.expansion
        self.conv1 = ConvGroupNormAct(inputs, channels, 1)
        self.conv2 = ConvGroupNormAct(channels, channels, 3, stride)
        self.conv3 = ConvGroupNormAct(channels, outputs, 1, act=False)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else ConvGroupNormAct(inputs, outputs, 1, stride, act=False)
        nn.init.zeros_(self.conv3.norm.weight)  # each block begins as the identity

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, 4 channels, h / stride, w / stride)``."""
        branch: Tensor = self.conv3(self.conv2(self.conv1(x)))
        return F.relu(branch + self.shortcut(x), inplace=True)


class Embedding(nn.Module):
    """Places of the feature map, class token, positions (equation 1)."""

    def __init__(self, inputs: int, width: int, grid: int) -> None:
        super().__init__()
        self.grid = grid
        self.project = nn.Conv2d(inputs, width, 1)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, 1 + grid**2, width))
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, features: Tensor) -> Tensor:
        """``(batch, inputs, rows, columns)`` to ``(batch, 1 + rows * columns, width)``."""
        rows, columns = features.shape[2:]
        tokens = self.project(features).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(tokens.shape[0], -1, -1), tokens], dim=1)
        return tokens + resample_positions(self.positions, 1, self.grid, rows, columns)


class Network(nn.Module):
    """R26 + ViT-S, R50 + ViT-B, R50 + ViT-L."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.stem = nn.Sequential(
            ConvGroupNormAct(config.in_channels, 64, 7, stride=2),  # 224 -> 112
            SamePadding(3, 2),  # nothing is below the zeros after a ReLU, and so they win no maximum
            nn.MaxPool2d(3, stride=2),  # -> 56
        )
        self.layers = nn.ModuleList(_stages_of(config.layers))  # -> 56, 28, 14, and 7 where there are four
        channels = 64 * 2 ** (len(config.layers) - 1) * Bottleneck.expansion
        pixels = 4 * 2 ** (len(config.layers) - 1)
        self.embedding = Embedding(channels, config.width, -(-config.image_size // pixels))
        self.blocks = nn.Sequential(
            *(
                EncoderBlock(config.width, config.heads, 4 * config.width, rate)
                for rate in rising(config.drop_path, config.depth)
            )
        )
        self.norm = nn.LayerNorm(config.width, EPSILON)
        self.feature_size = config.width
        self.classifier = nn.Linear(config.width, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to normalised tokens ``(batch, 1 + places, width)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Tokens to logits ``(batch, classes)``, or to the class token ``(batch, width)``."""
        token = features[:, 0]
        return token if pre_logits else self.classifier(token)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem, each residual block, the embedding, each block of the transformer, and the last norm."""
        residual = (block for layer in self.layers for block in layer.children())
        return (self.stem, *residual, self.embedding, *self.blocks, self.norm)


def _stages_of(depths: Sequence[int]) -> list[nn.Sequential]:
    """Stages of 64, 128, ... channels before expansion; each but the first halves the map."""
    stages = []
    inputs = 64
    for i, depth in enumerate(depths):
        channels = 64 * 2**i
        outputs = channels * Bottleneck.expansion
        first = Bottleneck(inputs, channels, stride=2 if i > 0 else 1)
        stages.append(nn.Sequential(first, *(Bottleneck(outputs, channels, 1) for _ in range(depth - 1))))
        inputs = outputs
    return stages


def _initialise(module: nn.Module) -> None:
    if isinstance(module, StandardisedConv):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=(1 / module.in_channels) ** 0.5)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    elif isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
