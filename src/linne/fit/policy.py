"""How training images are varied."""

from __future__ import annotations

import math
from dataclasses import dataclass

from linne.records.pixel_spec import PixelSpec
from linne.records.recipe import Augment, Automatic

SMALL_SIDE = 64
"""Inputs up to this size are shifted, turned and scaled a little: a crop would lose half of a digit."""


ERASED = 0.25
"""As DeiT has it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What may happen to a view.

    Attributes
    ----------
    flip : bool
        Mirror every second view.
    area : (low, high) or None
        Share of the picture that a crop has; it is resized to the input. None cuts crops of the input's size from the
        picture scaled as for validation, which costs next to nothing.
    colour : float
        Brightness, contrast and saturation are multiplied by factors in ``[1 - colour, 1 + colour]``; 0 leaves them.
    automatic : {'trivial', 'rand'}, optional
        TrivialAugment or RandAugment.
    erase : float
        Share of views that get a rectangle of noise.
    """

    flip: bool
    area: tuple[float, float] | None = (0.35, 1.0)
    colour: float = 0.3
    automatic: Automatic | None = None
    erase: float = 0.0

    @classmethod
    def named(cls, augment: Augment, flip: bool) -> Policy:
        """Give the policy that a plan names: 'light' has neither automatic changes nor noise."""
        if augment in ("none", "light"):
            return cls(flip)
        return cls(flip, colour=0, automatic=augment, erase=ERASED)

    def cache_side(self, spec: PixelSpec) -> int:
        """Pixels of the shorter side of cached pictures: a crop of middling area then has the size of the input."""
        longer = max(spec.height, spec.width)
        if longer <= SMALL_SIDE:
            return 2 * longer
        return spec.resize if self.area is None else math.ceil(longer / math.sqrt(sum(self.area) / 2))
