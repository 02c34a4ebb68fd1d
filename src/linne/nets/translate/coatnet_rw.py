"""CoAtNet in timm's layout."""

from __future__ import annotations

from linne.nets.translate.coatnet import BODY
from linne.nets.translate.rules import Rule

_EARLY = r"stages\.([01])\.blocks\.(\d+)\.se_early\."

TIMM = (
    *BODY,
    Rule(_EARLY + r"fc1\.", "layers.{}.{}.depthwise.squeeze.reduce."),
    Rule(_EARLY + r"fc2\.", "layers.{}.{}.depthwise.squeeze.expand."),
    Rule(r"norm\.", "norm."),
)
