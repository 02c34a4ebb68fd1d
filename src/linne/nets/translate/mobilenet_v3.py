"""MobileNetV3, large and small."""

from __future__ import annotations

from torch import Tensor

from linne.nets.translate.rules import Rule, matrix

_REPEATS = ((1, 2, 3, 4, 2, 3), (1, 2, 3, 2, 3))
"""Blocks in each stage of large and small; the same number of theirs is another place in the one and the other."""


def _epsilon(variance: Tensor) -> Tensor:
    """Torchvision's batch norms add 1e-3 to a variance, ours 1e-5: here is the difference."""
    return variance + (1e-3 - 1e-5)


def _convolution(theirs: str, ours: str, only_with: str) -> tuple[Rule, ...]:
    return (
        Rule(rf"{theirs}\.0\.", f"{ours}.conv.", only_with=only_with),
        Rule(rf"{theirs}\.1\.running_var", f"{ours}.norm.running_var", layout=_epsilon, only_with=only_with),
        Rule(rf"{theirs}\.1\.", f"{ours}.norm.", only_with=only_with),
    )


def _block(number: int, layer: int, block: int, only_with: str) -> tuple[Rule, ...]:
    """The first block does not expand, so its other layers come earlier; without squeezing, so does the projection."""
    theirs, ours = rf"features\.{number}\.block\.", f"layers.{layer}.{block}."
    expand = () if number == 1 else _convolution(theirs + "0", ours + "expand", only_with)
    depthwise = 0 if number == 1 else 1
    squeeze, project = depthwise + 1, f"[{depthwise + 1}{depthwise + 2}]"
    return (
        *expand,
        *_convolution(f"{theirs}{depthwise}", ours + "depthwise", only_with),
        Rule(rf"{theirs}{squeeze}\.fc1\.", ours + "squeeze_excite.reduce.", only_with=only_with),
        Rule(rf"{theirs}{squeeze}\.fc2\.", ours + "squeeze_excite.expand.", only_with=only_with),
        *_convolution(theirs + project, ours + "project", only_with),
    )


def _torchvision(repeats: tuple[int, ...]) -> tuple[Rule, ...]:
    """Blocks are counted through; behind them stands the last convolution."""
    places = [(layer, block) for layer, count in enumerate(repeats) for block in range(count)]
    last = len(places) + 1
    this = f"features.{last}.0.weight"
    return (
        *_convolution(r"features\.0", "stem", this),
        *(rule for i, (layer, block) in enumerate(places) for rule in _block(i + 1, layer, block, this)),
        *_convolution(rf"features\.{last}", "last", this),
    )


def _timm(repeats: tuple[int, ...]) -> tuple[Rule, Rule]:
    """The last convolution is one stage more; its norm is called as those of blocks are."""
    last, this = rf"blocks\.{len(repeats)}\.0\.", f"blocks.{len(repeats)}.0.conv.weight"
    return (
        Rule(last + r"conv\.", "last.conv.", only_with=this),
        Rule(last + r"bn1\.", "last.norm.", only_with=this),
    )


TORCHVISION = (
    *(rule for repeats in _REPEATS for rule in _torchvision(repeats)),
    Rule(r"classifier\.0\.", "hidden."),
    Rule(r"classifier\.3\.", "classifier."),
)

_BLOCK = r"blocks\.(\d+)\.(\d+)\."

TIMM = (
    Rule(r"conv_stem\.", "stem.conv."),
    Rule(r"bn1\.", "stem.norm."),
    *(rule for repeats in _REPEATS for rule in _timm(repeats)),
    # The first block does not expand.
    Rule(r"blocks\.0\.0\.conv_dw\.", "layers.0.0.depthwise.conv."),
    Rule(r"blocks\.0\.0\.bn1\.", "layers.0.0.depthwise.norm."),
    Rule(r"blocks\.0\.0\.conv_pw\.", "layers.0.0.project.conv."),
    Rule(r"blocks\.0\.0\.bn2\.", "layers.0.0.project.norm."),
    Rule(_BLOCK + r"conv_pw\.", "layers.{}.{}.expand.conv."),
    Rule(_BLOCK + r"bn1\.", "layers.{}.{}.expand.norm."),
    Rule(_BLOCK + r"conv_dw\.", "layers.{}.{}.depthwise.conv."),
    Rule(_BLOCK + r"bn2\.", "layers.{}.{}.depthwise.norm."),
    Rule(_BLOCK + r"se\.conv_reduce\.", "layers.{}.{}.squeeze_excite.reduce."),
    Rule(_BLOCK + r"se\.conv_expand\.", "layers.{}.{}.squeeze_excite.expand."),
    Rule(_BLOCK + r"conv_pwl\.", "layers.{}.{}.project.conv."),
    Rule(_BLOCK + r"bn3\.", "layers.{}.{}.project.norm."),
    Rule(r"conv_head\.weight", "hidden.weight", layout=matrix),
    Rule(r"conv_head\.bias", "hidden.bias"),
    Rule(r"classifier\.", "classifier."),
)
