"""FastViT: trained with branches that are folded into single convolutions before it is used.

Anasosalu Vasu, Gabriel, Zhu, Tuzel, Ranjan: "FastViT: A Fast Hybrid Vision Transformer using Structural
Reparameterization", ICCV 2023 (arXiv 2303.14189), section 3, figure 2 and table 2. Blocks of several branches are from
the same authors' MobileOne, CVPR 2023 (arXiv 2206.04040).

The idea: several branches of convolution and batch norm, added, train better than one convolution, and since each of
them is linear they can be summed up to one afterwards. Even the addition that mixes tokens is folded away, so that
memory is read and written less often; attention, which is dear on large maps, mixes tokens in the last stage only.

Departures from the paper: none that it tells of; its table counts 3.6 M parameters for T8 and 10.9 M for SA12, the
authors' code and this file 4.0 M and 11.5 M once folded. As in the authors' code, the last convolution is twice as wide
as the last stage and has squeeze and excitation; there is no activation between the two convolutions of a downsampling;
the batch norms before the perceptrons and before attention stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.branches import Branches, behind, fold, identity_kernel, mobile_one, with_kernel
from linne.nets.blocks.conv_norm_act import ConvNormAct
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear import Linear
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through
from linne.records.errors import LinneError

HEAD = 32
"""Channels of a head of attention."""

LAYER_SCALE = 1e-5
"""What each branch is multiplied by at first."""


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    widths, depths : tuple of int
        Channels and blocks of the four stages.
    expansion : int
        How many times as wide a perceptron is inside.
    attention : bool
        Tokens of the last stage are mixed by attention, behind a convolution that tells them where they are.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512)
    depths: tuple[int, ...] = (2, 2, 6, 2)
    expansion: int = 4
    attention: bool = False
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class RepMixer(nn.Module):
    """Mix places: ``x + scale * (branches(x) - norm(x))``, one depthwise convolution in the end (section 3.2.1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branches = Branches(width, width, 3, stride=1, groups=width, small=1)
        self.norm = nn.BatchNorm2d(width)
        self.layer_scale = nn.Parameter(torch.full((width, 1, 1), LAYER_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, width, h, w)`` to the same shape."""
        return torch.addcmul(x, self.layer_scale, self.branches(x) - self.norm(x))

    def folded(self) -> nn.Conv2d:
        """Give one convolution that does the same."""
        conv = self.branches.large.conv
        kernel, bias = self.branches.kernel()
        minus, offset = behind(identity_kernel(conv), self.norm)
        scale = self.layer_scale.double()
        return with_kernel(
            conv, identity_kernel(conv) + scale[..., None] * (kernel - minus), scale.flatten() * (bias - offset)
        )


class Positions(nn.Module):
    """Add to each place what lies around it, which tells it where it is (section 3.2.3)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 7, padding=3, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, width, h, w)`` to the same shape."""
        out: Tensor = x + self.conv(x)
        return out

    def folded(self) -> nn.Conv2d:
        """Give one convolution that does the same."""
        self.conv.weight += identity_kernel(self.conv)
        return self.conv


class Attention(nn.Module):
    """Mix places by multi-head self-attention, normalised before, scaled and added."""

    def __init__(self, width: int, drop_path: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width)
        self.qkv = Linear(width, 3 * width, bias=False)
        self.project = Linear(width, width)
        self.layer_scale = nn.Parameter(torch.full((width, 1, 1), LAYER_SCALE))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, width, h, w)`` to the same shape."""
        tokens = self.norm(x).permute(0, 2, 3, 1).flatten(1, 2)  # (batch, h * w, width)
        qkv = self.qkv(tokens).unflatten(2, (3, -1, HEAD))
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (batch, heads, h * w, 32)
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        out = self.project(mixed).transpose(1, 2).reshape(x.shape)
        return torch.addcmul(x, self.layer_scale, self.drop_path(out))


class ConvMlp(nn.Sequential):
    """A perceptron at each place, behind a 7x7 depthwise convolution that looks around (section 3.2.3)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.depthwise = ConvNormAct(width, width, 7, groups=width, act=None)
        self.widen = nn.Conv2d(width, hidden, 1)
        self.act = nn.GELU()
        self.narrow = nn.Conv2d(hidden, width, 1)


class Block(nn.Module):
    """Mix places, then a perceptron, scaled and added."""

    def __init__(self, width: int, expansion: int, attention: bool, drop_path: float) -> None:
        super().__init__()
        self.mixer = Attention(width, drop_path) if attention else RepMixer(width)
        self.mlp = ConvMlp(width, width * expansion)
        self.layer_scale = nn.Parameter(torch.full((width, 1, 1), LAYER_SCALE))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, width, h, w)`` to the same shape."""
        x = self.mixer(x)
        return torch.addcmul(x, self.layer_scale, self.drop_path(self.mlp(x)))


class Network(nn.Module):
    """FastViT-T8 to SA24, as it is trained; `reparameterise` makes of it what is used."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        rates = iter(rising(config.drop_path, sum(config.depths)))
        inputs = config.widths[0]
        self.stem = nn.Sequential(
            mobile_one(config.in_channels, inputs, 3, stride=2),  # 256 -> 128
            mobile_one(inputs, inputs, 3, stride=2, groups=inputs),  # -> 64
            mobile_one(inputs, inputs, 1),
        )
        self.layers = nn.ModuleList()  # -> 64, 32, 16, 8
        for width, depth in zip(config.widths, config.depths, strict=True):
            layer = nn.Sequential()
            if len(self.layers) > 0:
                layer.downsample = nn.Sequential()
                layer.downsample.depthwise = Branches(inputs, width, 7, stride=2, groups=inputs, small=3)
                layer.downsample.pointwise = mobile_one(width, width, 1)
            attention = config.attention and len(self.layers) + 1 == len(config.widths)
            if attention:
                layer.positions = Positions(width)
            layer.blocks = nn.Sequential(
                *(Block(width, config.expansion, attention, next(rates)) for _ in range(depth))
            )
            self.layers.append(layer)
            inputs = width
        self.feature_size = 2 * inputs
        self.last = mobile_one(inputs, self.feature_size, 3, groups=inputs, squeezed=self.feature_size // 16)
        self.classifier = nn.Linear(self.feature_size, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 2 widths[-1], height / 32, width / 32)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places."""
        pooled = features.mean((2, 3))
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give each part of the stem, each downsampling, positions, each block, and the last convolution."""
        return (*self.stem, *(part for layer in self.layers for part in _parts(layer)), self.last)

    def reparameterise(self) -> None:
        """Fold all branches into single convolutions, in place: the same function, smaller and faster.

        What comes of it has fewer parameters with other names, and cannot be unfolded; save weights before, since
        `linne.create` reads those of training. Export to ONNX folds a copy by itself.

        Raises
        ------
        LinneError
            In training mode, where a batch norm is no fixed function; or a second time.
        """
        if any(module.training for module in self.modules()):
            raise LinneError("a network in training mode cannot be re-parameterised", remedy="call eval() before")
        if not any(isinstance(module, Branches) for module in self.modules()):
            raise LinneError("the network has been re-parameterised already")
        fold(self)


def _parts(layer: nn.Module) -> Iterator[nn.Module]:
    *before, blocks = layer.children()
    yield from before
    yield from blocks.children()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, ConvMlp):
        for layer in (module.depthwise.conv, module.widen, module.narrow):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
