"""ResNet, ResNeXt, Wide ResNet: torchvision and timm use the same names."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

TORCHVISION = (
    Rule(r"conv1\.", "stem.conv."),
    Rule(r"bn1\.", "stem.norm."),
    Rule(r"layer(\d)\.(\d+)\.conv(\d)\.", "layers.{}.{}.conv{}.conv.", -1),
    Rule(r"layer(\d)\.(\d+)\.bn(\d)\.", "layers.{}.{}.conv{}.norm.", -1),
    Rule(r"layer(\d)\.(\d+)\.downsample\.0\.", "layers.{}.{}.shortcut.conv.", -1),
    Rule(r"layer(\d)\.(\d+)\.downsample\.1\.", "layers.{}.{}.shortcut.norm.", -1),
    Rule(r"fc\.", "classifier."),
)

TIMM = TORCHVISION
