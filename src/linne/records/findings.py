"""What is wrong with the data: one row a finding, with its score and reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from linne.records.first_steps import FirstStep
from linne.records.label_noise import LabelNoise
from linne.records.parquet import read_table, write_table
from linne.records.survey import Survey

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at.

    Attributes
    ----------
    check : str
        The question that found it: 'unreadable', 'exact duplicate', 'label doubt', ... (docs/rooms/audit.md lists all).
    path : str
        The image, below the index's root; empty where the finding is about a class or the whole set.
    score : float
        How sure, in [0, 1].
    reason : str
        One sentence.
    other : str
        The second image of a pair.
    label : str
        The class that the image is filed under, or that the finding is about; empty where there is none.
    suggestion : str
        The class that the image seems to show, or that a class seems to be one with.
    remedy : str
        What to do.
    images : int
        How many images it is about: one, those of a class, or those of the set that have the same fault.
    """

    check: str
    path: str
    score: float
    reason: str
    other: str = ""
    label: str = ""
    suggestion: str = ""
    remedy: str = ""
    images: int = 1


@dataclass(frozen=True)
class Findings:
    """All findings over one index, the surest first within a check.

    Attributes
    ----------
    rows : tuple of Finding
    index : str
        Fingerprint of the index that was looked at.
    notes : tuple of str
        Checks that were not made, and why.
    noise : LabelNoise, optional
        How many labels are wrong; None where they could not be judged.
    survey : Survey, optional
        Sizes, shapes and kinds of the images; None where nobody looked.
    first : tuple of FirstStep
        What to do first, by expected gain.
    digests : str
        Fingerprint of the images' digests, which changes with any image's bytes; empty where nobody noted it.
    """

    rows: tuple[Finding, ...]
    index: str
    notes: tuple[str, ...] = ()
    noise: LabelNoise | None = None
    survey: Survey | None = None
    first: tuple[FirstStep, ...] = ()
    digests: str = ""

    @classmethod
    def of(
        cls,
        rows: Iterable[Finding],
        index: str,
        notes: Iterable[str] = (),
        noise: LabelNoise | None = None,
        survey: Survey | None = None,
        first: Iterable[FirstStep] = (),
    ) -> Findings:
        """Collect findings; within a check the surest come first, checks keep the order of their first row."""
        by_check: dict[str, list[Finding]] = {}
        for row in rows:
            by_check.setdefault(row.check, []).append(row)
        ordered = [row for group in by_check.values() for row in sorted(group, key=lambda r: -r.score)]
        return cls(tuple(ordered), index, tuple(notes), noise, survey, tuple(first))

    def counts(self) -> dict[str, int]:
        """Findings a check."""
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row.check] = counts.get(row.check, 0) + 1
        return counts

    def write(self, path: Path) -> None:
        """Write as Parquet."""
        names = tuple(field.name for field in fields(Finding))
        columns = {name: [getattr(row, name) for row in self.rows] for name in names}
        facts = {
            "parent": self.index,
            "notes": list(self.notes),
            "noise": None if self.noise is None else asdict(self.noise),
            "survey": None if self.survey is None else self.survey.to_json(),
            "first": [asdict(step) for step in self.first],
            "digests": self.digests,
        }
        write_table(path, "findings", SCHEMA, columns, facts)

    @classmethod
    def read(cls, path: Path) -> Findings:
        """Read what `write` wrote; `RunError` if it cannot be."""
        table, facts = read_table(path, "findings", SCHEMA)
        rows = tuple(Finding(**row) for row in table.to_pylist())
        noise = None if facts["noise"] is None else LabelNoise.of_facts(facts["noise"])
        survey = None if facts["survey"] is None else Survey.from_json(facts["survey"])
        first = tuple(FirstStep(**step) for step in facts["first"])
        return cls(rows, facts["parent"], tuple(facts["notes"]), noise, survey, first, facts.get("digests", ""))
