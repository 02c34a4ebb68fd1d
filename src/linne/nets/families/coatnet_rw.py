"""CoAtNet as Ross Wightman laid it out and trained it in timm: the form that has published weights.

Wightman: "PyTorch Image Models", 2022 (timm, models/maxxvit.py, the names with 'rw'), made from the text of
Dai, Liu, Le, Tan: "CoAtNet: Marrying Convolution and Attention for All Data Sizes", NeurIPS 2021 (arXiv 2106.04803),
before its authors had shown any code.

The idea: that of CoAtNet, two stages of inverted residuals and two of transformer blocks with a learned bias for each
offset. Here each block widens less: its inner layers have as many channels as its inputs ask for, not its outputs.

Departures from the paper: inner channels, of convolutions and of heads, are those of the inputs; the first norm of an
inverted residual is followed by an activation; its squeeze and excitation stands before the second norm and bends by
ReLU, all else there by SiLU (GELU); its projections, and all shortcuts, have no bias; maps are halved by means
(maxima), in CoAtNet-0 before the first 1x1 convolution, in CoAtNet-1 in the depthwise one (in the 1x1); the stem is
narrower, CoAtNet-0 deeper, and the last norm comes before the mean over places. timm takes one size of images;
here they are filled with zeros to multiples of 32, and biases are resampled, bicubic and antialiased.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct, silu
from linne.nets.blocks.drop_path import DropPath, rising
from linne.nets.blocks.layer_norm_2d import LayerNorm2d
from linne.nets.blocks.linear import Linear
from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.relative_attention import RelativeAttention
from linne.nets.blocks.resample import whole_patches
from linne.nets.blocks.squeeze_excite import SqueezeExcite
from linne.nets.blocks.stages import through
from linne.nets.blocks.transformer import Mlp

STRIDE = 32
"""Of the whole network."""

STEM_CHANNELS = (32, 64)
EXPANSION = 4
EPSILON = 1e-6
"""Of the layer norms."""


@dataclass(frozen=True, slots=True)
class Config:
    """One variant.

    Attributes
    ----------
    depths, widths : tuple of int
        Blocks and channels of the four stages: two of convolutions, two of attention.
    pooled : bool
        Inverted residuals halve their map by means, before anything is computed; else by the stride of the
        depthwise convolution.
    image_size : int
        Side of the images that relative positions are stored for, in pixels.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    depths: tuple[int, ...] = (2, 3, 7, 2)
    widths: tuple[int, ...] = (96, 192, 384, 768)
    pooled: bool = True
    image_size: int = 224
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class Stem(nn.Module):
    """Two 3x3 convolutions."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        first, second = STEM_CHANNELS
        self.conv1 = ConvNormAct(in_channels, first, 3, stride=2, act=silu)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 64, height / 2, width / 2)``."""
        out: Tensor = self.conv2(self.conv1(whole_patches(images, STRIDE)))
        return out


class InvertedResidual(nn.Module):
    """Batch norm and activation, then an inverted residual with squeeze and excitation inside."""

    def __init__(self, inputs: int, outputs: int, stride: int, pooled: bool, drop_path: float) -> None:
        super().__init__()
        hidden = EXPANSION * inputs
        self.norm = nn.BatchNorm2d(inputs)
        self.act = silu()
        self.pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.pooled = pooled
        self.expand = ConvNormAct(inputs, hidden, 1, act=silu)
        self.depthwise = nn.Sequential()
        self.depthwise.conv = nn.Conv2d(
            hidden, hidden, 3, 1 if pooled else stride, padding=1, groups=hidden, bias=False
        )
        self.depthwise.squeeze = SqueezeExcite(hidden, hidden // 4)
        self.depthwise.norm = nn.BatchNorm2d(hidden)
        self.depthwise.act = silu()
        self.project = nn.Conv2d(hidden, outputs, 1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        branch = self.act(self.norm(x))
        branch = self.pool(branch) if self.pooled else branch
        branch = self.project(self.depthwise(self.expand(branch)))
        out: Tensor = self.shortcut(self.pool(x)) + self.drop_path(branch)
        return out


class TransformerBlock(nn.Module):
    """Attention over the whole map, then a perceptron at each place."""

    def __init__(self, inputs: int, outputs: int, stride: int, side: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = LayerNorm2d(inputs, EPSILON)
        self.pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.shortcut = Linear(inputs, outputs, bias=False) if inputs != outputs else nn.Identity()
        self.attention = RelativeAttention(inputs, inputs, outputs, side)
        self.norm2 = nn.LayerNorm(outputs, EPSILON)
        self.mlp = Mlp(outputs, EXPANSION * outputs)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``.

        Channels lie last in memory from the first such block to the last, so that the permutations are views.
        """
        branch = self.pool(self.norm1(x)).permute(0, 2, 3, 1)
        x = self.shortcut(self.pool(x).permute(0, 2, 3, 1)) + self.drop_path(self.attention(branch))
        x = x + self.drop_path(self.mlp(self.norm2(x)))
        return x.permute(0, 3, 1, 2)


class Network(nn.Module):
    """CoAtNet in timm's layout."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.stem = Stem(config.in_channels)  # 224 -> 112
        rates = iter(rising(config.drop_path, sum(config.depths)))
        self.layers = nn.ModuleList()  # -> 56, 28, 14, 7
        inputs, side = STEM_CHANNELS[-1], config.image_size // 2
        for i, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True)):
            layer = nn.Sequential()
            side //= 2
            for j in range(depth):
                stride = 2 if j == 0 else 1
                if i < 2:
                    layer.append(InvertedResidual(inputs, width, stride, config.pooled, next(rates)))
                else:
                    layer.append(TransformerBlock(inputs, width, stride, side, next(rates)))
                inputs = width
            self.layers.append(layer)
        self.norm = LayerNorm2d(inputs, EPSILON)
        self.feature_size = inputs
        self.apply(_initialise)
        self.classifier = nn.Linear(inputs, config.classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to the normalised map ``(batch, 768, height / 32, width / 32)``."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to its mean over places, ``(batch, 768)``."""
        pooled = features.mean((2, 3))
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give the stem, each block, and the last norm."""
        return (self.stem, *(block for layer in self.layers for block in layer.children()), self.norm)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
