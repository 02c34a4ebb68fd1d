"""The one statement of how a file's bytes become a network's input."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from linne.records import fingerprint
from linne.records.errors import LinneError

Fit = Literal["crop", "pad", "stretch"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]

DECODING = 1
"""Raised when decoding or geometry changes a pixel: old features and bundles are then told apart."""

LARGEST_SIDE = 4096


@dataclass(frozen=True, slots=True)
class PixelSpec:
    """How bytes become the input of a network; audit, training, export and serving all apply this.

    Decoding is the same for every spec: first frame, EXIF orientation applied, 16 bit scaled to 8,
    CMYK and palettes converted, transparency laid over white.

    Attributes
    ----------
    height, width : int
        Size of the input in pixels.
    channels : int
        3 for RGB, 1 for gray (ITU-R 601 luma).
    fit : {'crop', 'pad', 'stretch'}
        'crop' scales the shorter side to `resize` and cuts the centre; 'pad' scales the whole picture into
        the input and fills with white; 'stretch' gives up the aspect ratio.
    resize : int
        Pixels of the shorter side before the centre is cut; only 'crop' reads it.
    interpolation : {'nearest', 'bilinear', 'bicubic', 'lanczos'}
        All antialias when they make a picture smaller, but 'nearest'.
    mean, std : tuple of float
        One value a channel, for intensities in [0, 1]: ``input = (intensity - mean) / std``.
    """

    height: int
    width: int
    channels: int
    fit: Fit
    resize: int
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        sides = (self.height, self.width) + ((self.resize,) if self.fit == "crop" else ())
        if not all(isinstance(side, int) and 1 <= side <= LARGEST_SIDE for side in sides):
            raise LinneError(f"a side must lie in 1..{LARGEST_SIDE} pixels", value=sides)
        if self.fit == "crop" and self.resize < max(self.height, self.width):
            raise LinneError("the crop is larger than the resized picture", value=sides)
        if self.channels not in (1, 3):
            raise LinneError("channels must be 1 or 3", value=self.channels)
        if self.fit not in get_args(Fit) or self.interpolation not in get_args(Interpolation):
            raise LinneError("unknown fit or interpolation", value=(self.fit, self.interpolation))
        if len(self.mean) != self.channels or len(self.std) != self.channels:
            raise LinneError("one mean and one std a channel", value=(self.mean, self.std))
        if not all(map(math.isfinite, (*self.mean, *self.std))) or min(self.std) <= 0:
            raise LinneError("means and stds must be finite, and stds positive", value=(self.mean, self.std))

    @property
    def fingerprint(self) -> str:
        """Hex digest of the spec and of the version of the decoding rules."""
        return fingerprint.of_settings(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std), "decoding": DECODING}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PixelSpec:
        """Read what `to_json` gave.

        Raises
        ------
        LinneError
            Fields are missing, of a wrong type, or made for other decoding rules.
        """
        fields = dict(value)
        decoding = fields.pop("decoding", None)
        if decoding != DECODING:
            raise LinneError("the pixel spec is for other decoding rules", value=decoding)
        try:
            fields["mean"] = tuple(float(m) for m in fields["mean"])
            fields["std"] = tuple(float(s) for s in fields["std"])
            return cls(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise LinneError("the pixel spec is incomplete or malformed", value=error) from error
