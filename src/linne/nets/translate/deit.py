"""DeiT with distillation."""

from __future__ import annotations

from linne.nets.translate.rules import Rule
from linne.nets.translate.vit import TIMM as VIT

TIMM = (
    Rule("dist_token", "embedding.distillation_token"),
    Rule(r"head\.", "classifier.label."),
    Rule(r"head_dist\.", "classifier.teacher."),
    *VIT,
)
