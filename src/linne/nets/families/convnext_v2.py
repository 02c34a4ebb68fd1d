"""ConvNeXt V2: ConvNeXt whose channels compete.

Woo, Debnath, Hu, Chen, Liu, Kweon, Xie: "ConvNeXt V2: Co-designing and Scaling ConvNets with Masked Autoencoders",
CVPR 2023 (arXiv 2301.00808), section 4, algorithm 1 and figure 5; widths and depths in the appendix.

The idea: a ConvNeXt that learns to fill in masked images lets many of its widened channels die or say the same.
Global response normalisation inside the perceptron multiplies each channel by how strong it is on the whole map,
relative to the others, so that channels must differ; layer scale is no longer needed.

Departures from the paper: none. All maps lie in memory with their channels last, as in ConvNeXt.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.layer_norm_2d import LayerNorm2d
from linne.nets.blocks.linear import Linear
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through

EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    widths : tuple of int
        Channels of the four stages.
    depths : tuple of int
        Blocks in each of them.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    widths: tuple[int, ...] = (96, 192, 384, 768)
    depths: tuple[int, ...] = (3, 3, 9, 3)
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class GlobalResponseNorm(nn.Module):
    """Multiply each channel by its norm over all places, divided by the mean norm of the channels (algorithm 1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, h, w, width)`` to the same shape."""
        norms = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)  # (batch, 1, 1, width)
        strengths = norms / (norms.mean(dim=-1, keepdim=True) + EPSILON)
        # weight * (x * strengths) + bias + x, in one pass over the map
        return torch.addcmul(self.bias, x, 1 + self.weight * strengths)


class Block(nn.Module):
    """7x7 depthwise convolution, norm, perceptron with a global response norm inside (figure 5, right)."""

    def __init__(self, width: int, drop_path: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, EPSILON)
        self.mlp = nn.Sequential()
        self.mlp.widen = Linear(width, 4 * width)
        self.mlp.act = nn.GELU()
        self.mlp.norm = GlobalResponseNorm(4 * width)
        self.mlp.narrow = Linear(4 * width, width)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, width, h, w)`` to the same shape."""
        branch = self.depthwise(x).permute(0, 2, 3, 1)  # (batch, h, w, width)
        branch = self.drop_path(self.mlp(self.norm(branch)))
        out: Tensor = x + branch.permute(0, 3, 1, 2)
        return out


class Network(nn.Module):
    """ConvNeXt V2, atto to large."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        rates = iter(rising(config.drop_path, sum(config.depths)))
        self.stem = nn.Sequential()
        self.stem.conv = nn.Conv2d(config.in_channels, config.widths[0], 4, stride=4)  # 224 -> 56
        self.stem.norm = LayerNorm2d(config.widths[0], EPSILON)
        self.downsamples = nn.ModuleList()  # -> 28, 14, 7
        for inputs, outputs in zip(config.widths, config.widths[1:], strict=False):
            downsample = nn.Sequential()
            downsample.norm = LayerNorm2d(inputs, EPSILON)
            downsample.conv = nn.Conv2d(inputs, outputs, 2, stride=2)
            self.downsamples.append(downsample)
        self.layers = nn.ModuleList(
            nn.Sequential(*(Block(width, next(rates)) for _ in range(depth)))
            for width, depth in zip(config.widths, config.depths, strict=True)
        )
        self.feature_size = config.widths[-1]
        self.norm = nn.LayerNorm(self.feature_size, EPSILON)
        self.classifier = nn.Linear(self.feature_size, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 768, height / 32, width / 32)`` in the tiny one."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its normalised mean over places."""
        pooled: Tensor = self.norm(features.mean((2, 3)))
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem, each block, and what lies between the blocks of two widths."""
        between = (self.stem, *self.downsamples)
        return tuple(
            stage for first, layer in zip(between, self.layers, strict=True) for stage in (first, *layer.children())
        )


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
