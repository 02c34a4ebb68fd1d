"""The size of the input, growing in training: small images teach as much at first, and take a fraction of the time.

Howard: "fast.ai DAWNBench", 2018; Tan, Le: "EfficientNetV2", ICML 2021, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from linne.records.pixel_spec import PixelSpec

STEP = 32
"""Sides are multiples of it: networks halve them five times."""

GROWN = 2 / 3
"""Share of the epochs after which the input has its full size; the last one has it in any case."""


@dataclass(frozen=True)
class Growth:
    """The spec of each epoch.

    Attributes
    ----------
    spec : PixelSpec
        Of the full size.
    first_side : int or None
        Pixels of the shorter side at first; None does not grow.
    first, epochs : int
        Number of the first epoch, and how many there are.
    """

    spec: PixelSpec
    first_side: int | None
    first: int
    epochs: int

    def at(self, epoch: int) -> PixelSpec:
        """Give the spec of an epoch."""
        full = min(self.spec.height, self.spec.width)
        if self.first_side is None or self.first_side >= full:
            return self.spec
        grown = min((epoch - self.first) / max(GROWN * self.epochs, 1), 1.0)
        side = self.first_side + grown * (full - self.first_side)
        last = epoch >= self.first + self.epochs - 1
        side = full if grown >= 1 or last else max(STEP, STEP * round(side / STEP))
        if side >= full:
            return self.spec
        height, width, resize = (
            round(length * side / full) for length in (self.spec.height, self.spec.width, self.spec.resize)
        )
        return replace(self.spec, height=height, width=width, resize=max(resize, height, width))

    def cost(self) -> float:
        """Mean pixels an epoch, as a share of the full size's."""
        whole = self.spec.height * self.spec.width
        sizes = [self.at(epoch) for epoch in range(self.first, self.first + self.epochs)]
        return sum(spec.height * spec.width for spec in sizes) / (whole * max(len(sizes), 1))
