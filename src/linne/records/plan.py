"""What a fit will do and why, resolved before the first step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from linne.records.atomic import read_json, write_json
from linne.records.errors import LinneError
from linne.records.pixel_spec import PixelSpec
from linne.records.recipe import Recipe

SCHEMA = 1
REMEDY = "give the plan.json of a run"


@dataclass(frozen=True, slots=True)
class Plan:
    """Every decision of a fit.

    Attributes
    ----------
    network : str
        Catalogue name.
    weights : str or None
        File of the pretrained weights; None trains from random weights.
    weights_fingerprint : str
        Digest of the pretrained weights; empty without any.
    pixels : PixelSpec
    levels : tuple of Recipe
        How it is trained after the probe, one after the other; empty for the probe alone.
    flip : bool
        Whether a mirrored image keeps its label.
    seed : int
    budget : float or None
        Seconds for the whole run, from its start.
    reasons : tuple of str
        One sentence a decision.
    """

    network: str
    weights: str | None
    weights_fingerprint: str
    pixels: PixelSpec
    levels: tuple[Recipe, ...]
    flip: bool
    seed: int
    budget: float | None
    reasons: tuple[str, ...]

    @property
    def stage(self) -> int | None:
        """The stage whose inputs are stored, if any are."""
        return next((level.frozen_stages for level in self.levels if level.method == "stages"), None)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "pixels": self.pixels.to_json(), "reasons": list(self.reasons)}

    def write(self, path: Path) -> None:
        """Write ``plan.json``; it may be edited by hand."""
        write_json(path, {**self.to_json(), "schema": SCHEMA})

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read ``plan.json``; `LinneError` where it is none."""
        value = read_json(path, LinneError, REMEDY)
        if value.pop("schema", None) != SCHEMA:
            raise LinneError(f"is no plan of schema {SCHEMA}", file=path, remedy=REMEDY)
        try:
            levels = tuple(Recipe.from_json(level) for level in value.pop("levels"))
            pixels, reasons = PixelSpec.from_json(value.pop("pixels")), tuple(value.pop("reasons"))
            return cls(**value, levels=levels, pixels=pixels, reasons=reasons)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LinneError("is no plan", file=path, value=error, remedy=REMEDY) from error
        except LinneError as error:
            raise LinneError(error.problem, file=path, value=error.value, remedy=error.remedy) from error
