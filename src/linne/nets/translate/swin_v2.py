"""Swin Transformer V2.

torchvision's computes what ours does where the sides are multiples of 4; it leaves out what is no whole patch.
"""

from __future__ import annotations

from linne.nets.translate.rules import Rule


def _torchvision_stage(stage: int) -> tuple[Rule, ...]:
    """One stage, and the merge before it: torchvision counts both through, from 1.

    It stores a bias for keys and sets it to zero in each pass.
    """
    block, ours = rf"features\.{2 * stage + 1}\.(\d+)\.", f"layers.{stage}.{{}}."
    merge = rf"features\.{2 * stage}\."
    merges = (
        Rule(merge + r"reduction\.", f"merges.{stage - 1}.reduce."),
        Rule(merge + r"norm\.", f"merges.{stage - 1}.norm."),
    )
    return (
        *(merges if stage > 0 else ()),
        Rule(block + r"attn\.relative_(?:position_index|coords_table)", None),
        Rule(block + r"attn\.qkv\.bias", ours + "attention.", parts=("query_bias", None, "value_bias")),
        Rule(block + r"attn\.qkv\.weight", ours + "attention.qkv.weight"),
        Rule(block + r"attn\.logit_scale", ours + "attention.logit_scale"),
        Rule(block + r"attn\.cpb_mlp\.0\.", ours + "attention.position_bias.widen."),
        Rule(block + r"attn\.cpb_mlp\.2\.", ours + "attention.position_bias.narrow."),
        Rule(block + r"attn\.proj\.", ours + "attention.project."),
        Rule(block + r"norm(\d)\.", ours + "norm{}."),
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
    Rule(r"layers\.(\d)\.downsample\.reduction\.", "merges.{}.reduce.", -1),
    Rule(r"layers\.(\d)\.downsample\.norm\.", "merges.{}.norm.", -1),
    Rule(_BLOCK + r"attn\.q_bias", "layers.{}.{}.attention.query_bias"),
    Rule(_BLOCK + r"attn\.v_bias", "layers.{}.{}.attention.value_bias"),
    Rule(_BLOCK + r"attn\.qkv\.weight", "layers.{}.{}.attention.qkv.weight"),
    Rule(_BLOCK + r"attn\.logit_scale", "layers.{}.{}.attention.logit_scale"),
    Rule(_BLOCK + r"attn\.cpb_mlp\.0\.", "layers.{}.{}.attention.position_bias.widen."),
    Rule(_BLOCK + r"attn\.cpb_mlp\.2\.", "layers.{}.{}.attention.position_bias.narrow."),
    Rule(_BLOCK + r"attn\.proj\.", "layers.{}.{}.attention.project."),
    Rule(_BLOCK + r"norm(\d)\.", "layers.{}.{}.norm{}."),
    Rule(_BLOCK + r"mlp\.fc1\.", "layers.{}.{}.mlp.widen."),
    Rule(_BLOCK + r"mlp\.fc2\.", "layers.{}.{}.mlp.narrow."),
    Rule(r"norm\.", "norm."),
    Rule(r"head\.fc\.", "classifier."),
)
