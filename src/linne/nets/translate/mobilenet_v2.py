"""MobileNetV2."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

_REPEATS = (1, 2, 3, 4, 3, 3, 1)
_PLACES = [(layer, block) for layer, repeats in enumerate(_REPEATS) for block in range(repeats)]


def _flat(number: int, layer: int, block: int) -> tuple[Rule, ...]:
    """Torchvision counts the blocks through; the first does not expand, so its other convolutions come earlier."""
    theirs, ours = rf"features\.{number}\.conv\.", f"layers.{layer}.{block}."
    expand = () if number == 1 else _convolution(theirs + "0", ours + "expand")
    place = 0 if number == 1 else 1
    return (
        *expand,
        *_convolution(rf"{theirs}{place}", ours + "depthwise"),
        Rule(rf"{theirs}{place + 1}\.", ours + "project.conv."),
        Rule(rf"{theirs}{place + 2}\.", ours + "project.norm."),
    )


def _convolution(theirs: str, ours: str) -> tuple[Rule, Rule]:
    return Rule(rf"{theirs}\.0\.", f"{ours}.conv."), Rule(rf"{theirs}\.1\.", f"{ours}.norm.")


TORCHVISION = (
    *_convolution(r"features\.0", "stem"),
    *(rule for i, (layer, block) in enumerate(_PLACES) for rule in _flat(i + 1, layer, block)),
    *_convolution(r"features\.18", "last"),
    Rule(r"classifier\.1\.", "classifier."),
)

TIMM = (
    Rule(r"conv_stem\.", "stem.conv."),
    Rule(r"bn1\.", "stem.norm."),
    # The first block does not expand.
    Rule(r"blocks\.0\.0\.conv_dw\.", "layers.0.0.depthwise.conv."),
    Rule(r"blocks\.0\.0\.bn1\.", "layers.0.0.depthwise.norm."),
    Rule(r"blocks\.0\.0\.conv_pw\.", "layers.0.0.project.conv."),
    Rule(r"blocks\.0\.0\.bn2\.", "layers.0.0.project.norm."),
    Rule(r"blocks\.(\d+)\.(\d+)\.conv_pw\.", "layers.{}.{}.expand.conv."),
    Rule(r"blocks\.(\d+)\.(\d+)\.bn1\.", "layers.{}.{}.expand.norm."),
    Rule(r"blocks\.(\d+)\.(\d+)\.conv_dw\.", "layers.{}.{}.depthwise.conv."),
    Rule(r"blocks\.(\d+)\.(\d+)\.bn2\.", "layers.{}.{}.depthwise.norm."),
    Rule(r"blocks\.(\d+)\.(\d+)\.conv_pwl\.", "layers.{}.{}.project.conv."),
    Rule(r"blocks\.(\d+)\.(\d+)\.bn3\.", "layers.{}.{}.project.norm."),
    Rule(r"conv_head\.", "last.conv."),
    Rule(r"bn2\.", "last.norm."),
    Rule(r"classifier\.", "classifier."),
)
