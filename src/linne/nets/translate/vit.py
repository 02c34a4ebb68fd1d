"""ViT, and DeiT without distillation."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

_BLOCK = r"encoder\.layers\.encoder_layer_(\d+)\."

TORCHVISION = (
    Rule("class_token", "embedding.class_token"),
    Rule(r"encoder\.pos_embedding", "embedding.positions"),
    Rule(r"conv_proj\.", "embedding.project."),
    Rule(_BLOCK + r"ln_(\d)\.", "blocks.{}.norm{}."),
    Rule(_BLOCK + r"self_attention\.in_proj_", "blocks.{}.attention.qkv."),
    Rule(_BLOCK + r"self_attention\.out_proj\.", "blocks.{}.attention.project."),
    Rule(_BLOCK + r"mlp\.(?:0|linear_1)\.", "blocks.{}.mlp.widen."),
    Rule(_BLOCK + r"mlp\.(?:3|linear_2)\.", "blocks.{}.mlp.narrow."),
    Rule(r"encoder\.ln\.", "norm."),
    Rule(r"heads\.head\.", "classifier."),
)

TIMM = (
    Rule("cls_token", "embedding.class_token"),
    Rule("pos_embed", "embedding.positions"),
    Rule(r"patch_embed\.proj\.", "embedding.project."),
    Rule(r"blocks\.(\d+)\.norm(\d)\.", "blocks.{}.norm{}."),
    Rule(r"blocks\.(\d+)\.attn\.qkv\.", "blocks.{}.attention.qkv."),
    Rule(r"blocks\.(\d+)\.attn\.proj\.", "blocks.{}.attention.project."),
    Rule(r"blocks\.(\d+)\.mlp\.fc1\.", "blocks.{}.mlp.widen."),
    Rule(r"blocks\.(\d+)\.mlp\.fc2\.", "blocks.{}.mlp.narrow."),
    Rule(r"norm\.", "norm."),
    Rule(r"head\.", "classifier."),
)
