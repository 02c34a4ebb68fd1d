"""MaxViT: each block convolves, attends within windows, then over a grid that spans the map.

Tu, Talebi, Zhang, Yang, Milanfar, Bovik, Li: "MaxViT: Multi-Axis Vision Transformer", ECCV 2022 (arXiv 2204.01697),
section 3 and table 1; what it leaves open is from the authors' code (google-research/maxvit).

The idea: attention between all places costs the square of their number, so it is split into two sparse axes: places of
one window attend to one another, then places that lie a window apart. Both cost linearly and together reach everywhere,
so every stage attends globally, from the first on.

Departures from the paper: batch norms average their statistics over 10 steps (there: 100). Images are filled with zeros
to multiples of 32. A window's side is a 32nd of the filled image's, as where the authors fine-tune at other sizes; they
resample the biases for it linearly, here it is bicubic and antialiased.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct, SamePadding, silu
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.relative_attention import RelativeAttention
from linne.nets.blocks.resample import whole_patches
from linne.nets.blocks.squeeze_excite import SqueezeExcite
from linne.nets.blocks.stages import through
from linne.nets.blocks.transformer import Mlp

STRIDE = 32
"""Of the whole network; also the pixels of an image's side to one place of a window: 224 gives windows of 7."""

EXPANSION = 4
BATCH_EPSILON = 1e-3
LAYER_EPSILON = 1e-5

gelu = partial(nn.GELU, approximate="tanh")


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    depths, widths : tuple of int
        Blocks and channels of the four stages.
    stem : int
        Channels of the two convolutions before them.
    image_size : int
        Side of the images that relative positions are stored for, in pixels: 32 times a window's.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    depths: tuple[int, ...] = (2, 2, 5, 2)
    widths: tuple[int, ...] = (64, 128, 256, 512)
    stem: int = 64
    image_size: int = 224
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class Stem(nn.Module):
    """Two 3x3 convolutions with biases."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.pad = SamePadding(3, 2)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=2)
        self.norm = nn.BatchNorm2d(channels, BATCH_EPSILON)
        self.act = gelu()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, channels, height / 2, width / 2)``."""
        images = self.pad(whole_patches(images, STRIDE))
        out: Tensor = self.conv2(self.act(self.norm(self.conv1(images))))
        return out


class InvertedResidual(nn.Module):
    """Batch norm, then an inverted residual with squeeze and excitation: CoAtNet's."""

    def __init__(self, inputs: int, outputs: int, stride: int, drop_path: float) -> None:
        super().__init__()
        hidden = EXPANSION * outputs
        unit = partial(ConvNormAct, act=gelu, eps=BATCH_EPSILON)
        self.norm = nn.BatchNorm2d(inputs, BATCH_EPSILON)
        self.expand = unit(inputs, hidden, 1)
        self.depthwise = unit(hidden, hidden, 3, stride, groups=hidden, padding="same")
        self.squeeze = SqueezeExcite(hidden, outputs // 4, act=silu)
        self.project = nn.Conv2d(hidden, outputs, 1)
        self.pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        branch = self.project(self.squeeze(self.depthwise(self.expand(self.norm(x)))))
        out: Tensor = self.shortcut(self.pool(x)) + self.drop_path(branch)
        return out


class PartBlock(nn.Module):
    """Attention within each part of a map, then a perceptron at each place.

    Parameters
    ----------
    width, side : int
        Channels; side of a part that relative positions are stored for.
    parts : int
        How many there are in a row, and in a column.
    grid : bool
        A part is every `parts`-th place, and so spans the map (figure 3, right); else neighbours, a window.
    drop_path : float
    """

    def __init__(self, width: int, side: int, parts: int, grid: bool, drop_path: float) -> None:
        super().__init__()
        self.parts = parts
        self.grid = grid
        self.norm1 = nn.LayerNorm(width, LAYER_EPSILON)
        self.attention = RelativeAttention(width, width, width, side)
        self.norm2 = nn.LayerNorm(width, LAYER_EPSILON)
        self.mlp = Mlp(width, EXPANSION * width, gelu)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, height, width, channels)`` to the same shape."""
        parts = self._cut(x)
        # The norm copies the view that the parts are. A sum lies in memory as its first term does, so here as `x`.
        x = self._join(parts + self.drop_path(self.attention(self.norm1(parts))))
        out: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return out

    def _cut(self, x: Tensor) -> Tensor:
        """View a map as ``(batch, parts, parts, height / parts, width / parts, channels)``."""
        height, width, channels = x.shape[1:]
        down, across = height // self.parts, width // self.parts
        if self.grid:
            return x.reshape(-1, down, self.parts, across, self.parts, channels).permute(0, 2, 4, 1, 3, 5)
        return x.reshape(-1, self.parts, down, self.parts, across, channels).permute(0, 1, 3, 2, 4, 5)

    def _join(self, x: Tensor) -> Tensor:
        x = x.permute(0, 3, 1, 4, 2, 5) if self.grid else x.permute(0, 1, 3, 2, 4, 5)
        return x.flatten(3, 4).flatten(1, 2)


class Block(nn.Module):
    """Convolution, windows, grid (figure 2)."""

    def __init__(self, inputs: int, width: int, stride: int, side: int, parts: int, drop_path: float) -> None:
        super().__init__()
        self.conv = InvertedResidual(inputs, width, stride, drop_path)
        self.window = PartBlock(width, side, parts, False, drop_path)
        self.grid = PartBlock(width, side, parts, True, drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, width, h / stride, w / stride)``."""
        x = self.conv(x).permute(0, 2, 3, 1).contiguous()  # copied once: from then on, channels lie last in memory
        x = self.grid(self.window(x))
        return x.permute(0, 3, 1, 2)


class Network(nn.Module):
    """MaxViT."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.stem = Stem(config.in_channels, config.stem)  # 224 -> 112
        rates = iter(rising(config.drop_path, sum(config.depths)))
        self.layers = nn.ModuleList()  # -> 56, 28, 14, 7
        inputs, side = config.stem, config.image_size // STRIDE
        for parts, depth, width in zip((8, 4, 2, 1), config.depths, config.widths, strict=True):
            layer = nn.Sequential()
            for i in range(depth):
                layer.append(Block(inputs, width, 2 if i == 0 else 1, side, parts, next(rates)))
                inputs = width
            self.layers.append(layer)
        self.feature_size = inputs
        self.head = nn.Sequential()
        self.head.norm = nn.LayerNorm(inputs, LAYER_EPSILON)
        self.head.hidden = nn.Linear(inputs, inputs)
        self.head.act = nn.Tanh()
        self.classifier = nn.Linear(inputs, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, last width, height / 32, width / 32)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to what the hidden layer makes of its mean over places."""
        vector: Tensor = self.head(features.mean((2, 3)))
        return vector if pre_logits else self.classifier(vector)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem and each block."""
        return (self.stem, *(block for layer in self.layers for block in layer.children()))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
