"""MobileViT."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

_BLOCK = r"stages\.(\d)\.(\d)\."
_ENCODER = _BLOCK + r"transformer\.(\d)\."


def _convolution(theirs: str, ours: str) -> tuple[Rule, Rule]:
    return Rule(rf"{theirs}\.conv\.", f"{ours}.conv."), Rule(rf"{theirs}\.bn\.", f"{ours}.norm.")


TIMM = (
    *_convolution("stem", "stem"),
    *_convolution(_BLOCK + "conv1_1x1", "layers.{}.{}.expand"),
    *_convolution(_BLOCK + "conv2_kxk", "layers.{}.{}.depthwise"),
    *_convolution(_BLOCK + "conv3_1x1", "layers.{}.{}.project"),
    *_convolution(_BLOCK + "conv_kxk", "layers.{}.{}.near"),
    Rule(_BLOCK + r"conv_1x1\.", "layers.{}.{}.widen."),
    Rule(_ENCODER + r"norm(\d)\.", "layers.{}.{}.blocks.{}.norm{}."),
    Rule(_ENCODER + r"attn\.qkv\.", "layers.{}.{}.blocks.{}.attention.qkv."),
    Rule(_ENCODER + r"attn\.proj\.", "layers.{}.{}.blocks.{}.attention.project."),
    Rule(_ENCODER + r"mlp\.fc1\.", "layers.{}.{}.blocks.{}.mlp.widen."),
    Rule(_ENCODER + r"mlp\.fc2\.", "layers.{}.{}.blocks.{}.mlp.narrow."),
    Rule(_BLOCK + r"norm\.", "layers.{}.{}.norm."),
    *_convolution(_BLOCK + "conv_proj", "layers.{}.{}.narrow"),
    *_convolution(_BLOCK + "conv_fusion", "layers.{}.{}.fuse"),
    *_convolution("final_conv", "last"),
    Rule(r"head\.fc\.", "classifier."),
)
