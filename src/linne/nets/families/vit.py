"""ViT: an image is a sequence of patches, read by the transformer of natural language.

Dosovitskiy et al.: "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", ICLR 2021
(arXiv 2010.11929), section 3.1 and table 1. Tiny and small are from Touvron et al., "Training Data-Efficient Image
Transformers", ICML 2021 (arXiv 2012.12877), whose DeiT without distillation is this network, trained otherwise.

The idea: cut the image into patches, map each linearly to a token, add a class token and learned positions, and let
every token attend to every other in each layer. Nothing but the patches knows that images have two dimensions, so
much data or strong augmentation must teach it.

Departures from the paper: images that are no whole number of patches are filled with zeros; for other sizes than
the one trained on, positions are resampled bicubic and antialiased (the authors' code: linear); GELU is exact, as in
torchvision and timm (the authors' code approximates it); no dropout.
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
    """Patches, class token, positions (equation 1)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.grid = config.image_size // config.patch
        self.patch = config.patch
        self.project = nn.Conv2d(config.in_channels, config.width, config.patch, config.patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.positions = nn.Parameter(torch.empty(1, 1 + self.grid**2, config.width))
        nn.init.normal_(self.class_token, std=1e-6)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 1 + patches, width)``."""
        patches = self.project(whole_patches(images, self.patch))  # (batch, width, rows, columns)
        rows, columns = patches.shape[2:]
        tokens = patches.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(tokens.shape[0], -1, -1), tokens], dim=1)
        return tokens + resample_positions(self.positions, 1, self.grid, rows, columns)


class Network(nn.Module):
    """ViT and DeiT, tiny to large."""

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
        self.feature_size = config.width
        self.classifier = nn.Linear(config.width, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to normalised tokens ``(batch, 1 + patches, width)``."""
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
        """Give the embedding, each block, and the last norm."""
        return (self.embedding, *self.blocks, self.norm)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        fan_in = module.weight[0].numel()
        nn.init.trunc_normal_(module.weight, std=(1 / fan_in) ** 0.5)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
