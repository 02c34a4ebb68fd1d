"""CoAtNet: convolution where maps are large, attention over the whole map where they are small.

Dai, Liu, Le, Tan: "CoAtNet: Marrying Convolution and Attention for All Data Sizes", NeurIPS 2021
(arXiv 2106.04803), section 2, table 3, appendix A.1.

The idea: convolution generalises from few images, since it knows that neighbours matter and places do not; attention
fits more of them, since it sees everything and weighs it by content. So two stages of inverted residuals are followed
by two of transformer blocks, whose attention adds a learned bias for each offset: a convolution as large as the map.

Departures from the paper: the variant of its appendix that strides in the depthwise convolution, not in the 1x1 before
it. As in the authors' code of MaxViT, maps are halved by means (there: maxima), a hidden layer with tanh stands before
the classifier, and the squeeze and excitation bends by SiLU. Images are filled with zeros to multiples of 32, and
biases are resampled for maps of other sizes, bicubic and antialiased (that code: linear).
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
    stem : int
        Channels of the two convolutions before them.
    image_size : int
        Side of the images that relative positions are stored for, in pixels.
    drop_path : float
        Probability of leaving a branch out, at the last block.
    """

    depths: tuple[int, ...] = (2, 3, 5, 2)
    widths: tuple[int, ...] = (96, 192, 384, 768)
    stem: int = 64
    image_size: int = 224
    classes: int = 1000
    in_channels: int = 3
    drop_path: float = 0.0


class Stem(nn.Module):
    """Two 3x3 convolutions."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(in_channels, channels, 3, stride=2, act=nn.GELU)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, channels, height / 2, width / 2)``."""
        out: Tensor = self.conv2(self.conv1(whole_patches(images, STRIDE)))
        return out


class InvertedResidual(nn.Module):
    """Batch norm, then an inverted residual with squeeze and excitation."""

    def __init__(self, inputs: int, outputs: int, stride: int, drop_path: float) -> None:
        super().__init__()
        hidden = EXPANSION * outputs
        self.norm = nn.BatchNorm2d(inputs)
        self.expand = ConvNormAct(inputs, hidden, 1, act=nn.GELU)
        self.depthwise = ConvNormAct(hidden, hidden, 3, stride, groups=hidden, act=nn.GELU)
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


class TransformerBlock(nn.Module):
    """Attention over the whole map, then a perceptron at each place."""

    def __init__(self, inputs: int, outputs: int, stride: int, side: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = LayerNorm2d(inputs, EPSILON)
        self.pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.shortcut = Linear(inputs, outputs) if inputs != outputs else nn.Identity()
        self.attention = RelativeAttention(inputs, outputs, outputs, side)
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
    """CoAtNet."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.stem = Stem(config.in_channels, config.stem)  # 224 -> 112
        rates = iter(rising(config.drop_path, sum(config.depths)))
        self.layers = nn.ModuleList()  # -> 56, 28, 14, 7
        inputs, side = config.stem, config.image_size // 2
        for i, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True)):
            layer = nn.Sequential()
            side //= 2
            for j in range(depth):
                stride = 2 if j == 0 else 1
                if i < 2:
                    layer.append(InvertedResidual(inputs, width, stride, next(rates)))
                else:
                    layer.append(TransformerBlock(inputs, width, stride, side, next(rates)))
                inputs = width
            self.layers.append(layer)
        self.feature_size = inputs
        self.head = nn.Sequential()
        self.head.norm = nn.LayerNorm(inputs, EPSILON)
        self.head.hidden = nn.Linear(inputs, inputs)
        self.head.act = nn.Tanh()
        self.classifier = nn.Linear(inputs, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 3, height, width)`` to ``(batch, 768, height / 32, width / 32)``."""
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
    """As the authors' code of MaxViT does everywhere."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
