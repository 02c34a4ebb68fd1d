"""VGG: torchvision's dense layers, timm's the same as convolutions."""

from __future__ import annotations

from linne.nets.translate.rules import Rule, matrix

TORCHVISION = (
    Rule(r"features\.", "layers."),
    Rule(r"classifier\.0\.", "head.fc6."),
    Rule(r"classifier\.3\.", "head.fc7."),
    Rule(r"classifier\.6\.", "classifier."),
)

TIMM = (
    Rule(r"features\.", "layers."),
    Rule(r"pre_logits\.fc1\.weight", "head.fc6.weight", layout=matrix),
    Rule(r"pre_logits\.fc1\.bias", "head.fc6.bias"),
    Rule(r"pre_logits\.fc2\.weight", "head.fc7.weight", layout=matrix),
    Rule(r"pre_logits\.fc2\.bias", "head.fc7.bias"),
    Rule(r"head\.fc\.", "classifier."),
)
