"""The characteristic block of each paper of the lineage, as rows of boxes."""

from __future__ import annotations

from dataclasses import dataclass

Column = tuple[str, ...]
"""Boxes from top to bottom; '' is a wire."""

Row = tuple[Column, ...]
"""Columns side by side: parallel branches."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes from input to output.

    Attributes
    ----------
    caption : str
    rows : tuple of Row
    skips : tuple of (int, int)
        Pairs of rows: what enters the first is added to what leaves the second.
    """

    caption: str
    rows: tuple[Row, ...]
    skips: tuple[tuple[int, int], ...] = ()


def _chain(caption: str, *boxes: str, skips: tuple[tuple[int, int], ...] = ()) -> Drawing:
    return Drawing(caption, tuple(((box,),) for box in boxes), skips)


_TRANSFORMER = ("layer norm", "attention", "layer norm", "linear, GELU, linear")

DRAWINGS: dict[str, Drawing] = {
    "lenet5": _chain("C1 and S2", "5x5 convolution", "scaled tanh", "2x2 mean, coefficient, bias", "scaled tanh"),
    "alexnet": Drawing(
        "One layer on two GPUs",
        (
            (("5x5, 128 maps", "ReLU"), ("5x5, 128 maps", "ReLU")),
            (("response norm", "3x3 max pool / 2"), ("response norm", "3x3 max pool / 2")),
        ),
    ),
    "alexnet_single": _chain("One layer, one tower", "5x5 convolution", "ReLU", "3x3 max pool, stride 2"),
    "vgg": _chain("A stage", "3x3 convolution", "ReLU", "3x3 convolution", "ReLU", "2x2 max pool"),
    "googlenet": Drawing(
        "Inception module",
        ((("1x1",), ("1x1", "3x3"), ("1x1", "5x5"), ("3x3 max pool", "1x1")), (("concatenate",),)),
    ),
    "inception_v3": Drawing(
        "Module with one-dimensional filters",
        (
            (("1x1",), ("1x1", "1x7", "7x1"), ("1x1", "7x1, 1x7", "7x1, 1x7"), ("mean pool", "1x1")),
            (("concatenate",),),
        ),
    ),
    "resnet": _chain("Bottleneck", "1x1, norm, ReLU", "3x3, norm, ReLU", "1x1, norm", skips=((0, 2),)),
    "preact_resnet": _chain(
        "Pre-activation bottleneck", "norm, ReLU, 1x1", "norm, ReLU, 3x3", "norm, ReLU, 1x1", skips=((0, 2),)
    ),
    "wide_resnet": _chain(
        "Bottleneck, twice as wide inside", "1x1 to 2w", "3x3, 2w to 2w", "1x1 to 4w", skips=((0, 2),)
    ),
    "resnext": _chain("Bottleneck in 32 groups", "1x1", "3x3 in 32 groups", "1x1", skips=((0, 2),)),
    "mobilenet_v1": _chain("Depthwise separable", "3x3 depthwise", "norm, ReLU", "1x1", "norm, ReLU"),
    "mobilenet_v2": _chain(
        "Inverted residual", "1x1 to 6w, ReLU6", "3x3 depthwise, ReLU6", "1x1 to w, linear", skips=((0, 2),)
    ),
    "mobilenet_v3": _chain(
        "Inverted residual with gates",
        "1x1, hard swish",
        "5x5 depthwise, hard swish",
        "squeeze and excite",
        "1x1, linear",
        skips=((0, 3),),
    ),
    "efficientnet": _chain(
        "MBConv", "1x1 to 6w, SiLU", "depthwise, SiLU", "squeeze and excite", "1x1 to w, linear", skips=((0, 3),)
    ),
    "efficientnet_lite": _chain(
        "MBConv for integers", "1x1 to 6w, ReLU6", "depthwise, ReLU6", "1x1 to w, linear", skips=((0, 2),)
    ),
    "vit": _chain("Encoder block", *_TRANSFORMER, skips=((0, 1), (2, 3))),
    "deit": Drawing(
        "Two tokens, two teachers",
        (
            (("class token",), ("patches",), ("distillation token",)),
            (("encoder blocks",),),
            (("labels",), ("a network's answers",)),
        ),
    ),
    "swin": _chain(
        "A pair of blocks",
        "attention in windows",
        "two-layer perceptron",
        "attention in shifted windows",
        "two-layer perceptron",
        skips=((0, 0), (1, 1), (2, 2), (3, 3)),
    ),
    "efficientnet_v2": _chain("Fused MBConv", "3x3 to 4w, SiLU", "1x1 to w, linear", skips=((0, 1),)),
    "levit": _chain(
        "Block",
        "attention + learned bias",
        "hard swish, linear, norm",
        "linear, hard swish, linear",
        skips=((0, 1), (2, 2)),
    ),
    "coatnet": _chain(
        "Convolution stages, then attention stages",
        "MBConv",
        "attention + relative position",
        "two-layer perceptron",
        skips=((0, 0), (1, 1), (2, 2)),
    ),
    "mobilevit": Drawing(
        "Transformer as convolution",
        (
            (("",), ("3x3, 1x1", "unfold 2x2 patches", "transformer", "fold", "1x1")),
            (("concatenate",),),
            (("3x3",),),
        ),
    ),
    "swin_v2": _chain(
        "Norm after each branch",
        "cosine attention in windows",
        "layer norm",
        "two-layer perceptron",
        "layer norm",
        skips=((0, 1), (2, 3)),
    ),
    "convnext": _chain(
        "Block", "7x7 depthwise", "layer norm", "1x1 to 4w, GELU", "1x1 to w, layer scale", skips=((0, 3),)
    ),
    "maxvit": _chain(
        "Block", "MBConv", "attention in windows", "attention over a grid", skips=((0, 0), (1, 1), (2, 2))
    ),
    "convnext_v2": _chain(
        "Block", "7x7 depthwise", "layer norm", "1x1 to 4w, GELU", "global response norm", "1x1 to w", skips=((0, 4),)
    ),
    "fastvit": Drawing(
        "Trained in branches, shipped as one convolution",
        (
            (("3x3 depthwise, norm",), ("1x1 depthwise, norm",), ("norm",)),
            (("sum",),),
            (("fold into one 3x3",),),
        ),
    ),
    "cifarnet": _chain("Group", "3x3 convolution", "2x2 max pool", "norm, GELU", "3x3 convolution", "norm, GELU"),
    "mobilenet_v4": Drawing(
        "Universal inverted bottleneck: both depthwise are optional",
        ((("depthwise?",),), (("1x1 to 4w, ReLU",),), (("depthwise?, ReLU",),), (("1x1 to w, linear",),)),
        ((0, 3),),
    ),
}
