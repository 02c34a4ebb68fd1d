"""MobileNetV1."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

_BLOCK = r"blocks\.(\d+)\.(\d+)\."

TIMM = (
    Rule(r"conv_stem\.", "stem.conv."),
    Rule(r"bn1\.", "stem.norm."),
    Rule(_BLOCK + r"conv_dw\.", "layers.{}.{}.depthwise.conv."),
    Rule(_BLOCK + r"bn1\.", "layers.{}.{}.depthwise.norm."),
    Rule(_BLOCK + r"conv_pw\.", "layers.{}.{}.pointwise.conv."),
    Rule(_BLOCK + r"bn2\.", "layers.{}.{}.pointwise.norm."),
    Rule(r"classifier\.", "classifier."),
)
