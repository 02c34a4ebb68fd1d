"""MaxViT, from TensorFlow's weights."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

_BLOCK = r"stages\.(\d)\.blocks\.(\d+)\."


def _part(theirs: str, ours: str) -> tuple[Rule, ...]:
    """Attention over windows or over a grid."""
    theirs, ours = rf"{_BLOCK}{theirs}\.", f"layers.{{}}.{{}}.{ours}."
    return (
        Rule(theirs + r"norm(\d)\.", ours + "norm{}."),
        Rule(theirs + r"attn\.rel_pos\.relative_position_bias_table", ours + "attention.bias_table"),
        Rule(theirs + r"attn\.rel_pos\.\w+_lookup", None),
        Rule(theirs + r"attn\.qkv\.", ours + "attention.qkv."),
        Rule(theirs + r"attn\.proj\.", ours + "attention.project."),
        Rule(theirs + r"mlp\.fc1\.", ours + "mlp.widen."),
        Rule(theirs + r"mlp\.fc2\.", ours + "mlp.narrow."),
    )


TIMM = (
    Rule(r"stem\.conv(\d)\.", "stem.conv{}."),
    Rule(r"stem\.norm1\.", "stem.norm."),
    Rule(_BLOCK + r"conv\.pre_norm\.", "layers.{}.{}.conv.norm."),
    Rule(_BLOCK + r"conv\.conv1_1x1\.", "layers.{}.{}.conv.expand.conv."),
    Rule(_BLOCK + r"conv\.norm1\.", "layers.{}.{}.conv.expand.norm."),
    Rule(_BLOCK + r"conv\.conv2_kxk\.", "layers.{}.{}.conv.depthwise.conv."),
    Rule(_BLOCK + r"conv\.norm2\.", "layers.{}.{}.conv.depthwise.norm."),
    Rule(_BLOCK + r"conv\.se\.fc1\.", "layers.{}.{}.conv.squeeze.reduce."),
    Rule(_BLOCK + r"conv\.se\.fc2\.", "layers.{}.{}.conv.squeeze.expand."),
    Rule(_BLOCK + r"conv\.conv3_1x1\.", "layers.{}.{}.conv.project."),
    Rule(_BLOCK + r"conv\.shortcut\.expand\.", "layers.{}.{}.conv.shortcut."),
    *_part("attn_block", "window"),
    *_part("attn_grid", "grid"),
    Rule(r"head\.norm\.", "head.norm."),
    Rule(r"head\.pre_logits\.fc\.", "head.hidden."),
    Rule(r"head\.fc\.", "classifier."),
)
