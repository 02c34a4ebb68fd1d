"""How large, how long and of which kind the images of a data set are: a few hundred numbers, however many they are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Histogram:
    """Images in ranges whose ends double every `per_octave` ranges.

    Attributes
    ----------
    first : int
        The first range is around 2 to the power of ``first / per_octave``; it holds all that is below, too, and the
        last one all that is above.
    per_octave : int
    counts : tuple of int
        Images in each range.
    """

    first: int
    per_octave: int
    counts: tuple[int, ...]

    def middle(self, position: int) -> float:
        """What lies in the middle of a range."""
        return float(2 ** ((self.first + position) / self.per_octave))


@dataclass(frozen=True, slots=True)
class Survey:
    """Of the readable images.

    Attributes
    ----------
    images : int
        How many there are.
    bytes : int
        Of all their files.
    aspect_ratio : Histogram
        Width over height, of the upright picture.
    shorter_side : Histogram
        In pixels.
    formats, modes : tuple of (str, int)
        Names and images, the most frequent first.
    turned : int
        Images that EXIF turns.
    animated : int
        Images with further frames or pages, which are not seen.
    examples : tuple of str
        Paths of a few images, from the tallest to the widest.
    """

    images: int
    bytes: int
    aspect_ratio: Histogram
    shorter_side: Histogram
    formats: tuple[tuple[str, int], ...]
    modes: tuple[tuple[str, int], ...]
    turned: int
    animated: int
    examples: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Survey:
        """Read what `to_json` gave."""
        histograms = {
            name: Histogram(**{**value[name], "counts": tuple(value[name]["counts"])})
            for name in ("aspect_ratio", "shorter_side")
        }
        named = {name: tuple((kind, images) for kind, images in value[name]) for name in ("formats", "modes")}
        return cls(**{**value, **histograms, **named, "examples": tuple(value["examples"])})
