"""The story of the architectures, as facts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variant:
    """One network.

    Attributes
    ----------
    name : str
    parameters : int
    gmacs : float
        Multiply-adds for one image, in 10^9.
    side : int
        Height and width of the image in pixels.
    top1 : float or None
        Published accuracy on ImageNet in %, of the best weights for its own image size where there are some.
    licence : str
        Of these weights; '' where none is stated, 'no weights' where there are none.
    milliseconds : float or None
        For one image on this machine; None where it was not measured.
    top1_pixels : int or None
        Height and width of the images that `top1` was measured with; None where there is no `top1`.
    """

    name: str
    parameters: int
    gmacs: float
    side: int
    top1: float | None
    licence: str
    milliseconds: float | None
    top1_pixels: int | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """One paper and its networks; `example` is the one whose numbers stand for it."""

    key: str
    name: str
    year: int
    title: str
    arxiv: str
    idea: str
    changed: str
    example: Variant
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """All chapters, oldest first; `machine` says where latency was measured, and how."""

    chapters: tuple[Chapter, ...]
    machine: str

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
