"""Channels of a scaled layer."""

from __future__ import annotations


def round_to_8(channels: float) -> int:
    """Nearest multiple of 8, at least 8, and never more than a tenth below (MobileNetV2's code)."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
