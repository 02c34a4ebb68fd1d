"""What a person's decisions changed in an index, kept with the index that came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class OnTestImage:
    """A decision by hand on a test image: whoever reads a score should know of it.

    Attributes
    ----------
    path, action, label, to, check, who, when, why : str
        As in `linne.records.decisions`.
    """

    path: str
    action: str
    label: str
    to: str
    check: str
    who: str
    when: str
    why: str


@dataclass(frozen=True)
class Corrections:
    """How an index differs from the one that was looked at.

    Attributes
    ----------
    source : str
        Fingerprint of the index that was looked at.
    decisions : str
        The log that was applied.
    version : int
        Number of the last act in it.
    kept, relabelled, dropped : int
        Images.
    merged : tuple of (str, str)
        Classes, and those that their images are in now.
    added, removed : tuple of str
        Classes that there were not before, and that there are no more.
    not_applied : tuple of (str, str)
        Decisions that the images do not fit any more: path or class, and why.
    test : tuple of OnTestImage
        Those of `earlier` corrections come first.
    earlier : tuple of Corrections
        Where an index was corrected again: what was done before, the first one first, with its own counts. A sum would
        count an image twice that was relabelled twice.
    """

    source: str
    decisions: str
    version: int
    kept: int
    relabelled: int
    dropped: int
    merged: tuple[tuple[str, str], ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    not_applied: tuple[tuple[str, str], ...] = ()
    test: tuple[OnTestImage, ...] = ()
    earlier: tuple[Corrections, ...] = ()

    @property
    def steps(self) -> tuple[Corrections, ...]:
        """All corrections, the first one first."""
        return (*self.earlier, self)

    def total(self, what: Literal["kept", "relabelled", "dropped"]) -> int:
        """Add up a count over all corrections."""
        return sum(int(getattr(step, what)) for step in self.steps)

    def after(self, before: Corrections | None) -> Corrections:
        """Give these corrections as those of an index that was corrected `before`."""
        if before is None:
            return self
        return replace(
            self,
            test=(*before.test, *self.test),
            earlier=(*before.earlier, replace(before, test=(), earlier=())),
        )

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Corrections:
        """Take what `to_json` gave, with JSON's lists for tuples."""
        pairs = {name: tuple((a, b) for a, b in value[name]) for name in ("merged", "not_applied")}
        names = {name: tuple(value[name]) for name in ("added", "removed")}
        test = tuple(OnTestImage(**item) for item in value["test"])
        earlier = tuple(cls.from_json(item) for item in value.get("earlier", ()))
        return cls(**{**value, **pairs, **names, "test": test, "earlier": earlier})
