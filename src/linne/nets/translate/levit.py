"""LeViT."""

from __future__ import annotations

from math import isqrt

from torch import Tensor

from linne.nets.translate.rules import Rule

_BLOCK = r"stages\.(\d)\.blocks\.(\d)\."
_DOWN = r"stages\.(\d)\.downsample\."


def _linear(theirs: str, ours: str) -> tuple[Rule, Rule]:
    return Rule(rf"{theirs}\.linear\.", f"{ours}.linear."), Rule(rf"{theirs}\.bn\.", f"{ours}.norm.")


def _square(biases: Tensor) -> Tensor:
    """``(heads, side * side)``, by the distance in rows and then in columns, to ``(heads, side, side)``."""
    heads, places = biases.shape
    return biases.reshape(heads, isqrt(places), -1)


TIMM = (
    Rule(r"stem\.conv(\d)\.linear\.", "stem.{}.conv.", -1),
    Rule(r"stem\.conv(\d)\.bn\.", "stem.{}.norm.", -1),
    Rule(_BLOCK + r"attn\.attention_biases", "layers.{}.blocks.{}.attention.bias_table", layout=_square),
    *_linear(_BLOCK + r"attn\.qkv", "layers.{}.blocks.{}.attention.qkv"),
    *_linear(_BLOCK + r"attn\.proj\.ln", "layers.{}.blocks.{}.attention.project"),
    *_linear(_BLOCK + r"mlp\.ln1", "layers.{}.blocks.{}.mlp.widen"),
    *_linear(_BLOCK + r"mlp\.ln2", "layers.{}.blocks.{}.mlp.narrow"),
    Rule(_DOWN + r"attn_downsample\.attention_biases", "layers.{}.downsample.attention.bias_table", layout=_square),
    *_linear(_DOWN + r"attn_downsample\.kv", "layers.{}.downsample.attention.kv"),
    *_linear(_DOWN + r"attn_downsample\.q\.ln", "layers.{}.downsample.attention.query"),
    *_linear(_DOWN + r"attn_downsample\.proj\.ln", "layers.{}.downsample.attention.project"),
    *_linear(_DOWN + r"mlp\.ln1", "layers.{}.downsample.mlp.widen"),
    *_linear(_DOWN + r"mlp\.ln2", "layers.{}.downsample.mlp.narrow"),
    Rule(r"head\.bn\.", "norm.label."),
    Rule(r"head_dist\.bn\.", "norm.teacher."),
    Rule(r"head\.linear\.", "classifier.label."),
    Rule(r"head_dist\.linear\.", "classifier.teacher."),
)
