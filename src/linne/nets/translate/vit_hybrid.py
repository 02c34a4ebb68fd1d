"""ViT on a ResNet."""

from __future__ import annotations

from linne.nets.translate.rules import Rule
from linne.nets.translate.vit import TIMM as VIT

_BLOCK = r"patch_embed\.backbone\.stages\.(\d)\.blocks\.(\d+)\."

TIMM = (
    Rule(r"patch_embed\.backbone\.stem\.conv\.", "stem.0.conv."),
    Rule(r"patch_embed\.backbone\.stem\.norm\.", "stem.0.norm."),
    Rule(_BLOCK + r"conv(\d)\.", "layers.{}.{}.conv{}.conv."),
    Rule(_BLOCK + r"norm(\d)\.", "layers.{}.{}.conv{}.norm."),
    Rule(_BLOCK + r"downsample\.conv\.", "layers.{}.{}.shortcut.conv."),
    Rule(_BLOCK + r"downsample\.norm\.", "layers.{}.{}.shortcut.norm."),
    *VIT,
)
