"""torchvision's names to ours."""

from __future__ import annotations

import re

MOBILENET_V2 = (
    (r"features\.0\.0\.", "stem.conv."),
    (r"features\.0\.1\.", "stem.norm."),
    (r"features\.18\.0\.", "last.conv."),
    (r"features\.18\.1\.", "last.norm."),
    (r"classifier\.1\.", "classifier."),
    # The first block does not expand, so its depthwise convolution comes first.
    (r"features\.1\.conv\.0\.0\.", "blocks.0.depthwise.conv."),
    (r"features\.1\.conv\.0\.1\.", "blocks.0.depthwise.norm."),
    (r"features\.1\.conv\.1\.", "blocks.0.project.conv."),
    (r"features\.1\.conv\.2\.", "blocks.0.project.norm."),
    (r"features\.(\d+)\.conv\.0\.0\.", "blocks.{block}.expand.conv."),
    (r"features\.(\d+)\.conv\.0\.1\.", "blocks.{block}.expand.norm."),
    (r"features\.(\d+)\.conv\.1\.0\.", "blocks.{block}.depthwise.conv."),
    (r"features\.(\d+)\.conv\.1\.1\.", "blocks.{block}.depthwise.norm."),
    (r"features\.(\d+)\.conv\.2\.", "blocks.{block}.project.conv."),
    (r"features\.(\d+)\.conv\.3\.", "blocks.{block}.project.norm."),
)

FAMILIES = {"mobilenet_v2": MOBILENET_V2}


def translate(key: str, family: str) -> str | None:
    """Our name for one of torchvision's keys, or None where the family has no such key."""
    for pattern, name in FAMILIES.get(family, ()):
        match = re.match(pattern, key)
        if match:
            block = int(match[1]) - 1 if match.groups() else 0
            return name.format(block=block) + key[match.end() :]
    return None
