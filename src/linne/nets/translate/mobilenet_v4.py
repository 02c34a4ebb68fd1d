"""MobileNetV4."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

_BLOCK = r"blocks\.(\d+)\.(\d+)\."
_SMALL = "blocks.0.0.conv.weight"
"""Only the small one starts with plain convolutions; the others, with a fused block, call their first norm the same."""


def _convolution(theirs: str, ours: str) -> tuple[Rule, Rule]:
    return Rule(_BLOCK + rf"{theirs}\.conv\.", f"{ours}.conv."), Rule(_BLOCK + rf"{theirs}\.bn\.", f"{ours}.norm.")


TIMM = (
    Rule(r"conv_stem\.", "stem.conv."),
    Rule(r"bn1\.", "stem.norm."),
    Rule(r"blocks\.4\.0\.conv\.", "last.conv."),
    Rule(r"blocks\.4\.0\.bn1\.", "last.norm."),
    *_convolution("dw_start", "layers.{}.{}.start"),
    *_convolution("pw_exp", "layers.{}.{}.expand"),
    *_convolution("dw_mid", "layers.{}.{}.middle"),
    *_convolution("pw_proj", "layers.{}.{}.project"),
    Rule(_BLOCK + r"conv\.", "layers.{}.{}.conv."),
    Rule(_BLOCK + r"bn1\.", "layers.{}.{}.norm.", only_with=_SMALL),
    Rule(_BLOCK + r"conv_exp\.", "layers.{}.{}.expand.conv."),
    Rule(_BLOCK + r"bn1\.", "layers.{}.{}.expand.norm."),
    Rule(_BLOCK + r"conv_pwl\.", "layers.{}.{}.project.conv."),
    Rule(_BLOCK + r"bn2\.", "layers.{}.{}.project.norm."),
    Rule(r"conv_head\.", "head.conv."),
    Rule(r"norm_head\.", "head.norm."),
    Rule(r"classifier\.", "classifier."),
)
