"""LeViT: a transformer in the shape of a convolutional network, made to be fast.

Graham, El-Nouby, Touvron, Stock, Joulin, Jégou, Douze: "LeViT: a Vision Transformer in ConvNet's Clothing for Faster
Inference", ICCV 2021 (arXiv 2104.01136), section 4, figures 4 and 5, table 1.

The idea: most of a transformer's time goes into its first blocks, where places are many and channels few, which
convolutions do better: four of them shrink the image by 16. Then maps shrink by attention with fewer queries than
keys, batch norm (which can be folded away) takes the place of layer norm, keys are short, and a learned bias for each
distance takes the place of positions.

Departures from the paper: for other sizes than the one trained on, attention biases are resampled bicubic and
antialiased (the authors' code takes one size only); in training, too, the network gives the mean of the two heads,
and `Network.forward_heads` gives both, for training with a teacher. The vector before the classifier is the pooled map
as each head's batch norm gives it, one behind the other. Maps have their channels last.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from linne.nets.blocks.attend import attend
from linne.nets.blocks.conv_norm_act import ConvNormAct, hard_swish
from linne.nets.blocks.drop_path import DropPath
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.linear_norm import LinearNorm
from linne.nets.blocks.resample import resample
from linne.nets.blocks.stages import through
from linne.nets.blocks.two_heads import TwoHeads, logits_of_both
from linne.nets.blocks.windows import biases_of_pairs, offsets_of_distances


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    widths, depths, heads : tuple of int
        Channels, blocks and heads of attention of the three stages.
    key_width : int
        Channels of a head's queries and keys; its values have twice as many, four times where the map shrinks.
    image_size : int
        Side of the images that attention biases are learned for, in pixels.
    drop_path : float
        Probability of leaving a branch out, the same at each (the authors: 0.1 for LeViT-384, 0 for the others).
    """

    widths: tuple[int, int, int] = (256, 384, 512)
    depths: tuple[int, int, int] = (4, 4, 4)
    heads: tuple[int, int, int] = (4, 6, 8)
    key_width: int = 32
    image_size: int = 224
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class Stem(nn.Sequential):
    """Four 3x3 convolutions of stride 2."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(
            ConvNormAct(in_channels, width // 8, 3, 2, act=hard_swish),  # 224 -> 112
            ConvNormAct(width // 8, width // 4, 3, 2, act=hard_swish),  # -> 56
            ConvNormAct(width // 4, width // 2, 3, 2, act=hard_swish),  # -> 28
            ConvNormAct(width // 2, width, 3, 2, act=None),  # -> 14
        )

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, height / 16, width / 16, width)``."""
        for convolution in self:
            images = convolution(images)
        return images.permute(0, 2, 3, 1)


class Attention(nn.Module):
    """Multi-head self-attention with biases."""

    def __init__(self, width: int, heads: int, key_width: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.split = [key_width, key_width, 2 * key_width]
        self.qkv = LinearNorm(width, heads * sum(self.split))
        self.bias_table = nn.Parameter(torch.zeros(heads, side, side))
        self.project = LinearNorm(heads * 2 * key_width, width, scale=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, h, w, width)`` to the same shape."""
        height, width = int(x.shape[1]), int(x.shape[2])
        query, key, value = torch.split(_heads(self.qkv(x), self.heads), self.split, dim=3)
        mixed = attend(query, key, value, _biases(self.bias_table, height, width))
        out: Tensor = self.project(nn.functional.hardswish(_map(mixed, height, width)))
        return out


class ShrinkingAttention(nn.Module):
    """Multi-head attention of every second place in each second row to all places (figure 5, right)."""

    def __init__(self, inputs: int, outputs: int, key_width: int, side: int) -> None:
        super().__init__()
        self.heads = inputs // key_width
        self.split = [key_width, 4 * key_width]
        self.query = LinearNorm(inputs, self.heads * key_width)
        self.kv = LinearNorm(inputs, self.heads * sum(self.split))
        self.bias_table = nn.Parameter(torch.zeros(self.heads, side, side))
        self.project = LinearNorm(self.heads * 4 * key_width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, h, w, inputs)`` to ``(batch, h / 2, w / 2, outputs)``."""
        height, width = int(x.shape[1]), int(x.shape[2])
        query = _heads(self.query(x[:, ::2, ::2]), self.heads)
        key, value = torch.split(_heads(self.kv(x), self.heads), self.split, dim=3)
        mixed = attend(query, key, value, _biases(self.bias_table, height, width, 2))
        out: Tensor = self.project(nn.functional.hardswish(_map(mixed, (height + 1) // 2, (width + 1) // 2)))
        return out


class Mlp(nn.Sequential):
    """Widen twice, bend, narrow."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widen = LinearNorm(width, 2 * width)
        self.act = hard_swish()
        self.narrow = LinearNorm(2 * width, width, scale=0.0)


class Block(nn.Module):
    """Attention between places, then a perceptron at each."""

    def __init__(self, width: int, heads: int, key_width: int, side: int, drop_path: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads, key_width, side)
        self.mlp = Mlp(width)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, h, w, width)`` to the same shape."""
        x = x + self.drop_path(self.attention(x))
        out: Tensor = x + self.drop_path(self.mlp(x))
        return out


class Downsample(nn.Module):
    """Attention that halves the map, which nothing is added to, then a perceptron at each place."""

    def __init__(self, inputs: int, outputs: int, key_width: int, side: int, drop_path: float) -> None:
        super().__init__()
        self.attention = ShrinkingAttention(inputs, outputs, key_width, side)
        self.mlp = Mlp(outputs)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, h, w, inputs)`` to ``(batch, h / 2, w / 2, outputs)``."""
        x = self.attention(x)
        out: Tensor = x + self.drop_path(self.mlp(x))
        return out


class TwoNorms(nn.Module):
    """The batch norm of each head."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.label = nn.BatchNorm1d(width)
        self.teacher = nn.BatchNorm1d(width)

    def forward(self, pooled: Tensor) -> Tensor:
        """``(batch, width)`` to ``(batch, 2 width)``."""
        return torch.cat([self.label(pooled), self.teacher(pooled)], dim=1)


class Network(nn.Module):
    """LeViT-128S to 384."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        side, inputs = config.image_size // 16, config.widths[0]
        key_width, drop_path = config.key_width, config.drop_path
        self.stem = Stem(config.in_channels, inputs)
        self.layers = nn.ModuleList()  # -> 14, 7, 4
        for width, depth, heads in zip(config.widths, config.depths, config.heads, strict=True):
            layer = nn.Sequential()
            if len(self.layers) > 0:
                layer.downsample = Downsample(inputs, width, key_width, side, drop_path)
                side = (side + 1) // 2
            layer.blocks = nn.Sequential(*(Block(width, heads, key_width, side, drop_path) for _ in range(depth)))
            self.layers.append(layer)
            inputs = width
        self.feature_size = 2 * inputs
        self.norm = TwoNorms(inputs)
        self.classifier: nn.Module = TwoHeads(inputs, config.classes)
        self.classifier.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, height / 64, width / 64, widths[-1])``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean as both norms give it."""
        vector: Tensor = self.norm(features.mean((1, 2)))
        return vector if pre_logits else self.classifier(vector)

    def forward_heads(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Feature map to the logits of the class head and of the distillation head, for training with a teacher."""
        return logits_of_both(self.classifier, self.norm(features.mean((1, 2))))

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put one new classifier of `classes` outputs, which reads what both norms give, in place of the two heads."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem, each block, and each attention that shrinks the map."""
        found: list[nn.Module] = [self.stem]
        for layer in self.layers:
            *downsample, blocks = layer.children()
            found += [*downsample, *blocks.children()]
        return tuple(found)


def _heads(x: Tensor, heads: int) -> Tensor:
    """``(batch, h, w, heads * channels)`` to ``(batch, heads, h * w, channels)``."""
    return x.reshape(-1, x.shape[1] * x.shape[2], heads, x.shape[3] // heads).transpose(1, 2)


def _map(mixed: Tensor, height: int, width: int) -> Tensor:
    """``(batch, heads, height * width, channels)`` to ``(batch, height, width, heads * channels)``."""
    return mixed.transpose(1, 2).reshape(-1, height, width, mixed.shape[1] * mixed.shape[3])


def _biases(table: Tensor, height: int, width: int, stride: int = 1) -> Tensor:
    """Give what is added to the logit of each query and key: ``(1, heads, queries, height * width)``."""
    return biases_of_pairs(resample(offsets_of_distances(table), 2 * height - 1, 2 * width - 1), height, width, stride)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
