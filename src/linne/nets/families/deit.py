"""DeiT, distilled: a ViT with a second token that learns from a teacher.

Touvron, Cord, Douze, Massa, Sablayrolles, Jégou: "Training Data-Efficient Image Transformers & Distillation through
Attention", ICML 2021 (arXiv 2012.12877), section 4 and figure 2; sizes in table 1. DeiT without distillation is ViT,
see there.

The idea: beside the class token stands a distillation token with a head of its own. In training the first head
learns the label and the second what a convolutional teacher says, which passes the teacher's bias for images on; in
use the two are averaged.

Departures from the paper: images that are no whole number of patches are filled with zeros; for other sizes than
the one trained on, positions are resampled bicubic and antialiased (the authors: bicubic); in training, too, the
network gives the mean of the heads, and `Network.forward_heads` gives both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from linne.nets.blocks.drop_path import rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.resample import resample_positions, whole_patches
from linne.nets.blocks.stages import through
from linne.nets.blocks.transformer import EPSILON, EncoderBlock
from linne.nets.blocks.two_heads import TwoHeads, logits_of_both


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    width, depth, heads : int
        Length of a token, blocks, heads of attention.
    patch : int
        Side of a patch in pixels.
    image_size : int
        Side of the images that positions are learned for, in pixels.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    width: int = 768
    depth: int = 12
    heads: int = 12
    patch: int = 16
    image_size: int = 224
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class Embedding(nn.Module):
    """Patches, class token, distillation token, positions."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.grid = config.image_size // config.patch
        self.patch = config.patch
        self.project = nn.Conv2d(config.in_channels, config.width, config.patch, config.patch)
        self.class_token = nn.Parameter(torch.empty(1, 1, config.width))
        self.distillation_token = nn.Parameter(torch.empty(1, 1, config.width))
        self.positions = nn.Parameter(torch.empty(1, 2 + self.grid**2, config.width))
        for parameter in (self.class_token, self.distillation_token, self.positions):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 2 + patches, width)``."""
        patches = self.project(whole_patches(images, self.patch))  # (batch, width, rows, columns)
        rows, columns = patches.shape[2:]
        tokens = patches.flatten(2).transpose(1, 2)
        first = (token.expand(tokens.shape[0], -1, -1) for token in (self.class_token, self.distillation_token))
        return torch.cat([*first, tokens], dim=1) + resample_positions(self.positions, 2, self.grid, rows, columns)


class Network(nn.Module):
    """DeiT with distillation, tiny to base."""

    classifier: nn.Module

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.embedding = Embedding(config)
        self.blocks = nn.Sequential(
            *(
                EncoderBlock(config.width, config.heads, 4 * config.width, rate)
                for rate in rising(config.drop_path, config.depth)
            )
        )
        self.norm = nn.LayerNorm(config.width, EPSILON)
        self.feature_size = 2 * config.width
        self.classifier = TwoHeads(config.width, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to normalised tokens ``(batch, 2 + patches, width)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Tokens to logits ``(batch, classes)``, the mean of both heads, or to both tokens ``(batch, 2 width)``."""
        vector = features[:, :2].flatten(1)
        return vector if pre_logits else self.classifier(vector)

    def forward_heads(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens to the logits of the class head and of the distillation head, for training with a teacher."""
        return logits_of_both(self.classifier, features[:, :2].flatten(1))

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put one new classifier of `classes` outputs, which reads both tokens, in place of the two heads."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the embedding, each block, and the last norm."""
        return (self.embedding, *self.blocks, self.norm)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
