"""What each check found: the surest of it as pictures, copies side by side, and what is said of classes as text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linne.records.findings import Finding, Findings
from linne.records.index import Index
from linne.report.copies import Copies, alone, groups_of
from linne.report.thumbnails import Album, Picture

MOST_PICTURES = 90
"""In all findings together, so that the file can be sent by mail."""

MOST_CASES = 12
"""Of one check; all findings are in findings.parquet."""

SAMPLES = 3
"""Pictures of each of two classes that look alike."""

UNREADABLE = "unreadable"
LABEL_DOUBT = "label doubt"
ALIKE = "alike classes"


@dataclass(frozen=True, slots=True)
class Case:
    """Pictures to look at together.

    Attributes
    ----------
    finding : Finding
        The surest of those that the pictures belong to.
    rows : tuple of (str, tuple of Picture)
        Pictures under a heading, which may be empty.
    notes : dict
        By path, what is said of one picture of several; empty where the finding's reason says all.
    more : int
        Pictures of the group that are not shown.
    """

    finding: Finding
    rows: tuple[tuple[str, tuple[Picture, ...]], ...]
    notes: dict[str, str]
    more: int = 0

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All of them."""
        return tuple(picture for _, row in self.rows for picture in row)


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the audit.

    Attributes
    ----------
    name : str
    count : int
        Findings.
    every : int
        What they come to: groups of copies, or as many as findings.
    grouped : bool
        Whether copies stand together.
    cases : tuple of Case
        The surest that are to be looked at.
    told : tuple of Finding
        The surest that are to be read: of classes, of the set, of files that cannot be shown.
    """

    name: str
    count: int
    every: int
    grouped: bool
    cases: tuple[Case, ...]
    told: tuple[Finding, ...]

    @property
    def doubts_labels(self) -> bool:
        """Whether a suggestion is a class that a picture seems to show."""
        return self.name == LABEL_DOUBT

    @property
    def wide(self) -> bool:
        """Whether pictures stand side by side."""
        return any(len(row) > 1 for case in self.cases for _, row in case.rows)


def checks(findings: Findings, index: Index, album: Album) -> tuple[Check, ...]:
    """Give each check with its surest findings; what one does not need of its share of pictures is left to others.

    Parameters
    ----------
    findings : Findings
    index : Index
        Tells what the images are filed under.
    album : Album
    """
    by_name: dict[str, list[Finding]] = {}
    for row in findings.rows:
        by_name.setdefault(row.check, []).append(row)
    pictured = {name: [row for row in rows if _is_pictured(row)] for name, rows in by_name.items()}
    groups = {name: groups_of(rows) for name, rows in pictured.items() if any(row.other for row in rows)}
    planned = {name: groups.get(name, [alone(row) for row in rows[:MOST_CASES]]) for name, rows in pictured.items()}
    shares = _shares({name: [_pictures(copies) for copies in cases[:MOST_CASES]] for name, cases in planned.items()})
    kept = {name: cases[: shares[name]] for name, cases in planned.items()}
    labels = labels_of(index, (path for cases in kept.values() for copies in cases for path in copies.shown))
    return tuple(
        Check(
            name,
            len(rows),
            len(groups.get(name, pictured[name])) + len(rows) - len(pictured[name]),
            name in groups,
            tuple(_case(copies, index, album, labels) for copies in kept[name]),
            tuple(row for row in rows if not _is_pictured(row))[:MOST_CASES],
        )
        for name, rows in by_name.items()
    )


def labels_of(index: Index, paths: Iterable[str]) -> dict[str, str]:
    """Find the classes of some paths; those that the index does not have are left out."""
    wanted = sorted({path for path in paths if path})
    rows = pc.index_in(pa.array(wanted, pa.large_string()), index.paths)
    return {path: index.label_of(row) for path, row in zip(wanted, rows.to_pylist(), strict=True) if row is not None}


def _is_pictured(row: Finding) -> bool:
    return row.check == ALIKE or (row.check != UNREADABLE and bool(row.path))


def _pictures(copies: Copies) -> int:
    return len(copies.shown) or 2 * SAMPLES


def _shares(planned: dict[str, list[int]]) -> dict[str, int]:
    """How many cases each check may show, at least one: rounds in which each takes its next, until the room is full."""
    taken = dict.fromkeys(planned, 0)
    room = MOST_PICTURES
    for turn in range(MOST_CASES):
        for name, pictures in planned.items():
            if turn < len(pictures) and taken[name] == turn and (turn == 0 or pictures[turn] <= room):
                taken[name] += 1
                room -= pictures[turn]
    return taken


def _case(copies: Copies, index: Index, album: Album, labels: dict[str, str]) -> Case:
    finding = copies.finding
    if finding.check == ALIKE:
        both = (finding.label, finding.suggestion)
        return Case(finding, tuple((label, _samples(index, label, album)) for label in both), {})
    pictures = tuple(album.picture(path, labels.get(path, "")) for path in copies.shown)
    return Case(finding, (("", pictures),), copies.notes, copies.more)


def _samples(index: Index, label: str, album: Album) -> tuple[Picture, ...]:
    """A few pictures of a class, from its beginning to its end."""
    if label not in index.labels:
        return ()
    rows = np.flatnonzero(index.label == index.labels.index(label))
    some = sorted({round(share * (len(rows) - 1)) for share in np.linspace(0.1, 0.9, SAMPLES)}) if len(rows) else []
    return tuple(album.picture(index.path(int(rows[i])), label) for i in some)
