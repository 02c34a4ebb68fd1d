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


def is_small(spec: PixelSpec) -> bool:
    """Whether inputs of this size, that of validation, are turned and shifted, and not cropped."""
    return spec.height <= SMALL_SIDE


@dataclass(frozen=True, slots=True)
class Policy:
    """What may happen to a view.

    Attributes
    ----------
    flip : bool
        Mirror every second view.
    area : (low, high)
        Share of the picture that a crop has; it is resized to the input. Small inputs are turned, shifted and scaled
        instead.
    colour : float
        Brightness, contrast and saturation are multiplied by factors in ``[1 - colour, 1 + colour]``; 0 leaves them.
        Those of small inputs stay.
    automatic : {'trivial', 'rand', 'augmix'}, optional
        TrivialAugment, RandAugment or AugMix.
    erase : float
        Share of views that get a rectangle of noise.
    still : bool
        Show what validation sees of the picture, in place of a crop or a turn.
    """

    flip: bool
    area: tuple[float, float] = (0.35, 1.0)
    colour: float = 0.3
    automatic: Automatic | None = None
    erase: float = 0.0
    still: bool = False

    @classmethod
    def named(cls, augment: Augment, flip: bool) -> Policy:
        """Give the policy that a plan names.

        'none' shows what validation sees, each time the same; 'light' has neither automatic changes nor noise, and
        'augmix' no noise, for its pictures are meant to stay likely ones.
        """
        match augment:
            case "none":
                return cls(False, colour=0, still=True)
            case "light":
                return cls(flip)
            case "augmix":
                return cls(flip, colour=0, automatic=augment)
        return cls(flip, colour=0, automatic=augment, erase=ERASED)

    def cache_side(self, spec: PixelSpec) -> int:
        """Pixels of the shorter side of cached pictures: a crop of middling area then has the size of the input."""
        longer = max(spec.height, spec.width)
        if is_small(spec):
            return 2 * longer
        if self.still:
            return spec.resize if spec.fit == "crop" else longer
        return math.ceil(longer / math.sqrt(sum(self.area) / 2))

    def in_words(self, spec: PixelSpec) -> str:
        """Say what happens to a view, in one line."""
        if self.still:
            said = ["what validation sees, each time the same"]
        elif is_small(spec):
            said = ["a small turn, shift and zoom"]
        else:
            said = [f"crops of {self.area[0]:.0%} to {self.area[1]:.0%} of the picture"]
        if self.flip:
            said.append("every second view mirrored")
        if self.colour and not is_small(spec) and not self.still:
            what = "brightness, contrast and saturation" if spec.channels == 3 else "brightness and contrast"
            said.append(f"{what} up to {self.colour:.0%} more or less")
        if self.automatic is not None:
            said.append(IN_WORDS[self.automatic])
        if self.erase:
            said.append(f"a rectangle of noise in {self.erase:.0%} of the views")
        return "; ".join(said)


IN_WORDS: dict[Automatic, str] = {
    "trivial": "one operation of any strength (TrivialAugment)",
    "rand": "two operations of middling strength (RandAugment)",
    "augmix": "blended with three gently changed copies of itself (AugMix)",
}
