"""What a fit will do and why, resolved before the first step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from linne.records.atomic import read_json, write_json
from linne.records.errors import LinneError
from linne.records.pixel_spec import PixelSpec
from linne.records.recipe import Recipe

SCHEMA = 3
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
    group_by : str or None
        Regular expression on file names; images with the same match stay in one subset.
    teacher : str or None
        Folder of the run whose answers are learnt from, too.
    teacher_fingerprint : str
        Digest of its bundle and weights; empty without any.
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
    group_by: str | None = None
    teacher: str | None = None
    teacher_fingerprint: str = ""

    @property
    def stage(self) -> int | None:
        """The stage whose inputs are stored, if any are."""
        return next((level.frozen_stages for level in self.levels if level.method == "stages"), None)

    def _check(self) -> None:
        """Raise `LinneError` where it has been edited into what cannot be done."""
        numbers = (int, float)
        right = {
            "network": isinstance(self.network, str),
            "weights": self.weights is None or isinstance(self.weights, str),
            "weights_fingerprint": isinstance(self.weights_fingerprint, str),
            "flip": isinstance(self.flip, bool),
            "seed": type(self.seed) is int and 0 <= self.seed < 2**32,
            "budget": self.budget is None or (type(self.budget) in numbers and self.budget > 0),
            "reasons": all(isinstance(reason, str) for reason in self.reasons),
            "group_by": self.group_by is None or isinstance(self.group_by, str),
            "teacher": self.teacher is None or isinstance(self.teacher, str),
            "teacher_fingerprint": isinstance(self.teacher_fingerprint, str),
        }
        for name, is_right in right.items():
            if not is_right:
                raise LinneError(f"{name} cannot be that", value=getattr(self, name), remedy=REMEDY)
        methods = [level.method for level in self.levels]
        allowed = ("stages", "whole") if self.weights_fingerprint else ("scratch",)
        if any(method not in allowed for method in methods) or "stages" in methods[1:]:
            weights = "pretrained" if self.weights_fingerprint else "random"
            raise LinneError(
                f"levels cannot be those from {weights} weights",
                value=", ".join(methods),
                remedy="give stages once, first, or whole; scratch without weights",
            )
        if any(level.method == "stages" and level.frozen_stages < 1 for level in self.levels):
            raise LinneError("frozen_stages is out of range", value=0, remedy="give 1 or more, or the method whole")
        if not methods and not self.weights_fingerprint:
            raise LinneError("levels are missing", remedy="give at least one of method scratch")
        full = min(self.pixels.height, self.pixels.width)
        for level in self.levels:
            for name, value in level.unused(taught=bool(self.teacher)).items():
                problem = f"{name} does nothing in such a level of method {level.method}"
                raise LinneError(problem, value=value, remedy="leave it away")
            first, last = level.first_side, level.last_side or full
            if first is not None and first > last:
                raise LinneError("first_side is above last_side", value=first, remedy=f"give {last} or less")

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
            listed = {name: value.pop(name) for name in ("levels", "reasons")}
            for name, items in listed.items():
                if not isinstance(items, list):
                    raise TypeError(f"{name} are no list")
            levels = tuple(Recipe.from_json(level) for level in listed["levels"])
            pixels = PixelSpec.from_json(value.pop("pixels"))
            plan = cls(**value, levels=levels, pixels=pixels, reasons=tuple(listed["reasons"]))
            plan._check()
            return plan
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LinneError("is no plan", file=path, value=error, remedy=REMEDY) from error
        except LinneError as error:
            raise LinneError(error.problem, file=path, value=error.value, remedy=error.remedy) from error
