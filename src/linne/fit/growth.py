"""The size of the input, growing in training: small images teach as much at first, and take a fraction of the time.

Howard: "fast.ai DAWNBench", 2018; Tan, Le: "EfficientNetV2", ICML 2021, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from linne.records.pixel_spec import PixelSpec

STEP = 32
"""Sides that inputs grow through are multiples of it: networks halve them five times."""

GROWN = 2 / 3
"""Share of the epochs after which the input has its last size; the last one has it in any case."""

FIRST, LAST = 0.57, 0.86
"""Of the size that images are validated at, where nothing else is asked for. Crops show things larger than whole
pictures do, so that a network does best on pictures that are somewhat larger than the crops it was trained on: Touvron,
Vedaldi, Douze, Jégou, "Fixing the Train-Test Resolution Discrepancy", NeurIPS 2019 (arXiv 1906.06423)."""


@dataclass(frozen=True)
class Growth:
    """The spec of each epoch.

    Attributes
    ----------
    spec : PixelSpec
        Of the size that images are validated at.
    first_side, last_side : int or None
        Pixels of the shorter side at first and in the end; None is that of `spec`. Between them are multiples of
        `STEP`.
    first, epochs : int
        Number of the first epoch, and how many there are.
    """

    spec: PixelSpec
    first_side: int | None
    last_side: int | None
    first: int
    epochs: int

    def at(self, epoch: int) -> PixelSpec:
        """Give the spec of an epoch."""
        full = min(self.spec.height, self.spec.width)
        start, end = (full if side is None else side for side in (self.first_side, self.last_side))
        grown = min((epoch - self.first) / max(GROWN * self.epochs, 1), 1.0)
        if grown >= 1 or epoch >= self.first + self.epochs - 1 or start >= end:
            return scaled(self.spec, end)
        side = STEP * round((start + grown * (end - start)) / STEP)
        return scaled(self.spec, start if epoch <= self.first else min(max(side, start), end))

    def cost(self) -> float:
        """Mean pixels an epoch, as a share of those of `spec`."""
        whole = self.spec.height * self.spec.width
        sizes = [self.at(epoch) for epoch in range(self.first, self.first + self.epochs)]
        return sum(spec.height * spec.width for spec in sizes) / (whole * max(len(sizes), 1))


def usual_sides(spec: PixelSpec) -> tuple[int, int]:
    """The sides that inputs grow from and to, where nothing else is asked for."""
    full = min(spec.height, spec.width)
    first, last = (max(STEP, STEP * round(share * full / STEP)) for share in (FIRST, LAST))
    return first, last


def scaled(spec: PixelSpec, side: int) -> PixelSpec:
    """Give a spec of the same shape whose shorter side has so many pixels."""
    full = min(spec.height, spec.width)
    height, width, resize = (round(length * side / full) for length in (spec.height, spec.width, spec.resize))
    return replace(spec, height=height, width=width, resize=max(resize, height, width))
