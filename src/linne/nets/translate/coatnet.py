"""CoAtNet."""

from __future__ import annotations

from math import isqrt

from torch import Tensor

from linne.nets.blocks.relative_attention import HEAD
from linne.nets.translate.rules import Rule, matrix

_CONVOLUTION = r"stages\.([01])\.blocks\.(\d+)\."
_ATTENTION = r"stages\.([23])\.blocks\.(\d+)\."


def query_key_value(values: Tensor) -> Tensor:
    """Query, key and value of one head after the other, to the queries of all heads, then keys, then values."""
    return matrix(values.reshape(-1, 3, HEAD, *values.shape[1:]).transpose(0, 1).flatten(0, 2))


def table(values: Tensor) -> Tensor:
    """One row an offset, from key to query, to ``(heads, offsets down, offsets across)`` from query to key."""
    side = isqrt(values.shape[0])
    return values.T.reshape(-1, side, side).flip(1, 2)


BODY = (
    Rule(r"stem\.conv1\.", "stem.conv1.conv."),
    Rule(r"stem\.norm1\.", "stem.conv1.norm."),
    Rule(r"stem\.conv2\.", "stem.conv2."),
    Rule(_CONVOLUTION + r"pre_norm\.", "layers.{}.{}.norm."),
    Rule(_CONVOLUTION + r"conv1_1x1\.", "layers.{}.{}.expand.conv."),
    Rule(_CONVOLUTION + r"norm1\.", "layers.{}.{}.expand.norm."),
    Rule(_CONVOLUTION + r"conv2_kxk\.", "layers.{}.{}.depthwise.conv."),
    Rule(_CONVOLUTION + r"norm2\.", "layers.{}.{}.depthwise.norm."),
    Rule(_CONVOLUTION + r"conv3_1x1\.", "layers.{}.{}.project."),
    Rule(_CONVOLUTION + r"shortcut\.expand\.", "layers.{}.{}.shortcut."),
    Rule(_ATTENTION + r"shortcut\.expand\.", "layers.{}.{}.shortcut.", layout=matrix),
    Rule(_ATTENTION + r"norm1\.norm\.", "layers.{}.{}.norm1."),  # where it pools
    Rule(_ATTENTION + r"norm(\d)\.", "layers.{}.{}.norm{}."),
    Rule(
        _ATTENTION + r"attn\.rel_pos\.relative_position_bias_table", "layers.{}.{}.attention.bias_table", layout=table
    ),
    Rule(_ATTENTION + r"attn\.rel_pos\.relative_position_index", None),
    Rule(_ATTENTION + r"attn\.qkv\.", "layers.{}.{}.attention.qkv.", layout=query_key_value),
    Rule(_ATTENTION + r"attn\.proj\.", "layers.{}.{}.attention.project.", layout=matrix),
    Rule(_ATTENTION + r"mlp\.fc1\.", "layers.{}.{}.mlp.widen.", layout=matrix),
    Rule(_ATTENTION + r"mlp\.fc2\.", "layers.{}.{}.mlp.narrow.", layout=matrix),
    Rule(r"head\.fc\.", "classifier."),
)
"""What timm's own layout shares."""

TIMM = (
    *BODY,
    Rule(_CONVOLUTION + r"se\.fc1\.", "layers.{}.{}.squeeze.reduce."),
    Rule(_CONVOLUTION + r"se\.fc2\.", "layers.{}.{}.squeeze.expand."),
    Rule(r"head\.norm\.", "head.norm."),
    Rule(r"head\.pre_logits\.fc\.", "head.hidden."),
)
