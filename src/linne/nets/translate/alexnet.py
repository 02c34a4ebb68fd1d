"""AlexNet in one tower; timm does not have it."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

TORCHVISION = (
    Rule(r"features\.0\.", "layers.0.conv."),
    Rule(r"features\.3\.", "layers.1.conv."),
    Rule(r"features\.6\.", "layers.2.conv."),
    Rule(r"features\.8\.", "layers.3.conv."),
    Rule(r"features\.10\.", "layers.4.conv."),
    Rule(r"classifier\.1\.", "head.fc6."),
    Rule(r"classifier\.4\.", "head.fc7."),
    Rule(r"classifier\.6\.", "classifier."),
)
