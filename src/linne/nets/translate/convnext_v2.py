"""ConvNeXt V2: small ones have 1x1 convolutions in timm, larger ones linear layers."""

from __future__ import annotations

from linne.nets.translate.convnext import TIMM as CONVNEXT
from linne.nets.translate.rules import Rule, matrix

_MLP = r"stages\.(\d)\.blocks\.(\d+)\.mlp\."

TIMM = (
    Rule(_MLP + r"fc1\.weight", "layers.{}.{}.mlp.widen.weight", layout=matrix),
    Rule(_MLP + r"fc2\.weight", "layers.{}.{}.mlp.narrow.weight", layout=matrix),
    Rule(_MLP + r"grn\.", "layers.{}.{}.mlp.norm."),
    *CONVNEXT,
)
