"""EfficientNet and EfficientNet-Lite; the blocks of the first stage do not expand, so their parts come earlier."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

TORCHVISION = (
    Rule(r"features\.0\.0\.", "stem.conv."),
    Rule(r"features\.0\.1\.", "stem.norm."),
    Rule(r"features\.(1)\.(\d+)\.block\.0\.0\.", "layers.{}.{}.depthwise.conv.", -1),
    Rule(r"features\.(1)\.(\d+)\.block\.0\.1\.", "layers.{}.{}.depthwise.norm.", -1),
    Rule(r"features\.(1)\.(\d+)\.block\.1\.fc1\.", "layers.{}.{}.excite.reduce.", -1),
    Rule(r"features\.(1)\.(\d+)\.block\.1\.fc2\.", "layers.{}.{}.excite.expand.", -1),
    Rule(r"features\.(1)\.(\d+)\.block\.2\.0\.", "layers.{}.{}.project.conv.", -1),
    Rule(r"features\.(1)\.(\d+)\.block\.2\.1\.", "layers.{}.{}.project.norm.", -1),
    Rule(r"features\.(\d)\.(\d+)\.block\.0\.0\.", "layers.{}.{}.expand.conv.", -1),
    Rule(r"features\.(\d)\.(\d+)\.block\.0\.1\.", "layers.{}.{}.expand.norm.", -1),
    Rule(r"features\.(\d)\.(\d+)\.block\.1\.0\.", "layers.{}.{}.depthwise.conv.", -1),
    Rule(r"features\.(\d)\.(\d+)\.block\.1\.1\.", "layers.{}.{}.depthwise.norm.", -1),
    Rule(r"features\.(\d)\.(\d+)\.block\.2\.fc1\.", "layers.{}.{}.excite.reduce.", -1),
    Rule(r"features\.(\d)\.(\d+)\.block\.2\.fc2\.", "layers.{}.{}.excite.expand.", -1),
    Rule(r"features\.(\d)\.(\d+)\.block\.3\.0\.", "layers.{}.{}.project.conv.", -1),
    Rule(r"features\.(\d)\.(\d+)\.block\.3\.1\.", "layers.{}.{}.project.norm.", -1),
    Rule(r"features\.8\.0\.", "last.conv."),
    Rule(r"features\.8\.1\.", "last.norm."),
    Rule(r"classifier\.1\.", "classifier."),
)

TIMM = (
    Rule(r"conv_stem\.", "stem.conv."),
    Rule(r"bn1\.", "stem.norm."),
    Rule(r"blocks\.(\d)\.(\d+)\.se\.conv_", "layers.{}.{}.excite."),
    Rule(r"blocks\.(0)\.(\d+)\.conv_dw\.", "layers.{}.{}.depthwise.conv."),
    Rule(r"blocks\.(0)\.(\d+)\.bn1\.", "layers.{}.{}.depthwise.norm."),
    Rule(r"blocks\.(0)\.(\d+)\.conv_pw\.", "layers.{}.{}.project.conv."),
    Rule(r"blocks\.(0)\.(\d+)\.bn2\.", "layers.{}.{}.project.norm."),
    Rule(r"blocks\.(\d)\.(\d+)\.conv_pw\.", "layers.{}.{}.expand.conv."),
    Rule(r"blocks\.(\d)\.(\d+)\.bn1\.", "layers.{}.{}.expand.norm."),
    Rule(r"blocks\.(\d)\.(\d+)\.conv_dw\.", "layers.{}.{}.depthwise.conv."),
    Rule(r"blocks\.(\d)\.(\d+)\.bn2\.", "layers.{}.{}.depthwise.norm."),
    Rule(r"blocks\.(\d)\.(\d+)\.conv_pwl\.", "layers.{}.{}.project.conv."),
    Rule(r"blocks\.(\d)\.(\d+)\.bn3\.", "layers.{}.{}.project.norm."),
    Rule(r"conv_head\.", "last.conv."),
    Rule(r"bn2\.", "last.norm."),
    Rule(r"classifier\.", "classifier."),
)
