"""Swin Transformer."""

from __future__ import annotations

import math

from torch import Tensor

from linne.nets.translate.rules import Rule


def _table(values: Tensor) -> Tensor:
    """Biases ``(places, heads)`` by the offset from key to query to ``(heads, rows, columns)`` from query to key."""
    side = math.isqrt(values.shape[0])
    return values.T.reshape(-1, side, side).flip(1, 2)


def _torchvision_stage(stage: int) -> tuple[Rule, ...]:
    """One stage, and the merge before it: torchvision counts both through, from 1."""
    block, ours = rf"features\.{2 * stage + 1}\.(\d+)\.", f"layers.{stage}.{{}}."
    merge = rf"features\.{2 * stage}\."
    merges = (
        Rule(merge + r"norm\.", f"merges.{stage - 1}.norm."),
        Rule(merge + r"reduction\.", f"merges.{stage - 1}.reduce."),
    )
    return (
        *(merges if stage > 0 else ()),
        Rule(block + r"norm(\d)\.", ours + "norm{}."),
        Rule(block + r"attn\.relative_position_index", None),
        Rule(block + r"attn\.relative_position_bias_table", ours + "attention.bias_table", layout=_table),
        Rule(block + r"attn\.qkv\.", ours + "attention.qkv."),
        Rule(block + r"attn\.proj\.", ours + "attention.project."),
        Rule(block + r"mlp\.0\.", ours + "mlp.widen."),
        Rule(block + r"mlp\.3\.", ours + "mlp.narrow."),
    )


TORCHVISION = (
    Rule(r"features\.0\.0\.", "embedding.project."),
    Rule(r"features\.0\.2\.", "embedding.norm."),
    *(rule for stage in range(4) for rule in _torchvision_stage(stage)),
    Rule(r"norm\.", "norm."),
    Rule(r"head\.", "classifier."),
)

_BLOCK = r"layers\.(\d)\.blocks\.(\d+)\."

TIMM = (
    Rule(r"patch_embed\.proj\.", "embedding.project."),
    Rule(r"patch_embed\.norm\.", "embedding.norm."),
    Rule(r"layers\.(\d)\.downsample\.norm\.", "merges.{}.norm.", -1),
    Rule(r"layers\.(\d)\.downsample\.reduction\.", "merges.{}.reduce.", -1),
    Rule(_BLOCK + r"norm(\d)\.", "layers.{}.{}.norm{}."),
    Rule(_BLOCK + r"attn\.relative_position_bias_table", "layers.{}.{}.attention.bias_table", layout=_table),
    Rule(_BLOCK + r"attn\.qkv\.", "layers.{}.{}.attention.qkv."),
    Rule(_BLOCK + r"attn\.proj\.", "layers.{}.{}.attention.project."),
    Rule(_BLOCK + r"mlp\.fc1\.", "layers.{}.{}.mlp.widen."),
    Rule(_BLOCK + r"mlp\.fc2\.", "layers.{}.{}.mlp.narrow."),
    Rule(r"norm\.", "norm."),
    Rule(r"head\.fc\.", "classifier."),
)
