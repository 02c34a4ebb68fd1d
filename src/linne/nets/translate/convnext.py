"""ConvNeXt."""

from __future__ import annotations

from linne.nets.translate.rules import Rule, vector


def _stage(number: int) -> tuple[Rule, ...]:
    """Torchvision counts stages and what lies between them through, and a block's layers with its permutations."""
    block, ours = rf"features\.{2 * number + 1}\.(\d+)\.", f"layers.{number}.{{}}."
    return (
        Rule(block + "layer_scale", ours + "layer_scale", layout=vector),
        Rule(block + r"block\.0\.", ours + "depthwise."),
        Rule(block + r"block\.2\.", ours + "norm."),
        Rule(block + r"block\.3\.", ours + "mlp.widen."),
        Rule(block + r"block\.5\.", ours + "mlp.narrow."),
    )


def _downsample(number: int) -> tuple[Rule, Rule]:
    theirs, ours = rf"features\.{2 * number + 2}\.", f"downsamples.{number}."
    return Rule(theirs + r"0\.", ours + "norm."), Rule(theirs + r"1\.", ours + "conv.")


TORCHVISION = (
    Rule(r"features\.0\.0\.", "stem.conv."),
    Rule(r"features\.0\.1\.", "stem.norm."),
    *(rule for number in range(4) for rule in _stage(number)),
    *(rule for number in range(3) for rule in _downsample(number)),
    Rule(r"classifier\.0\.", "norm."),
    Rule(r"classifier\.2\.", "classifier."),
)

TIMM = (
    Rule(r"stem\.0\.", "stem.conv."),
    Rule(r"stem\.1\.", "stem.norm."),
    Rule(r"stages\.(\d)\.downsample\.0\.", "downsamples.{}.norm.", -1),
    Rule(r"stages\.(\d)\.downsample\.1\.", "downsamples.{}.conv.", -1),
    Rule(r"stages\.(\d)\.blocks\.(\d+)\.conv_dw\.", "layers.{}.{}.depthwise."),
    Rule(r"stages\.(\d)\.blocks\.(\d+)\.norm\.", "layers.{}.{}.norm."),
    Rule(r"stages\.(\d)\.blocks\.(\d+)\.mlp\.fc1\.", "layers.{}.{}.mlp.widen."),
    Rule(r"stages\.(\d)\.blocks\.(\d+)\.mlp\.fc2\.", "layers.{}.{}.mlp.narrow."),
    Rule(r"stages\.(\d)\.blocks\.(\d+)\.gamma", "layers.{}.{}.layer_scale"),
    Rule(r"head\.norm\.", "norm."),
    Rule(r"head\.fc\.", "classifier."),
)
