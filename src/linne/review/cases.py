"""Findings as a person decides on them: copies together, an image under one check, a class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from linne.records.findings import Finding, Findings
from linne.records.index import Index

Kind = Literal["copies", "image", "class"]

NOT_THERE = -1
"""Row of an image that is not in the index: it was set aside when the index was made."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to decide on.

    Attributes
    ----------
    number : int
        Its place in the order of the findings.
    kind : {'copies', 'image', 'class'}
        Images that pairs join; one image; or no image, but a class or the whole set.
    findings : tuple of Finding
        All that were joined, in their order.
    paths : tuple of str
        Of the images, in the order of the index.
    rows : tuple of int
        Of the images in the index, or `NOT_THERE`.
    label : str
        The class that the (first) image is filed under, or that the case is about.
    checks : tuple of str
        Those that ask, each once.
    score : float
        That of the surest finding.
    suggestion : str
        The class that the image seems to show, or that the class seems to be one with.
    """

    number: int
    kind: Kind
    findings: tuple[Finding, ...]
    paths: tuple[str, ...]
    rows: tuple[int, ...]
    label: str

    checks: tuple[str, ...] = field(init=False)
    score: float = field(init=False)
    suggestion: str = field(init=False)

    def __post_init__(self) -> None:
        # Once and not whenever they are asked for: a group of copies may have thousands of findings, and its images
        # are shown one by one.
        found = self.findings
        object.__setattr__(self, "checks", tuple(dict.fromkeys(finding.check for finding in found)))
        object.__setattr__(self, "score", max((finding.score for finding in found), default=0.0))
        object.__setattr__(self, "suggestion", next((one.suggestion for one in found if one.suggestion), ""))


def cases_of(findings: Findings, index: Index) -> tuple[Case, ...]:
    """Join findings to cases, in the order of the findings.

    A finding with another image is a pair, whatever its check; pairs that share an image are one case.
    """
    leader = _leaders(findings)
    joined: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings.rows:
        if finding.path and finding.other:
            key: tuple[str, ...] = ("copies", _leader(leader, finding.path))
        elif finding.path:
            key = ("image", finding.check, finding.path)
        else:
            key = ("class", finding.check, finding.label)
        joined.setdefault(key, []).append(finding)
    row_of = _rows(findings, index)
    return tuple(
        _case(number, key[0], found, row_of, index)  # type: ignore[arg-type]
        for number, (key, found) in enumerate(joined.items())
    )


def _case(number: int, kind: Kind, found: list[Finding], row_of: dict[str, int], index: Index) -> Case:
    named = {path for finding in found for path in (finding.path, finding.other) if path}
    paths = sorted(named, key=lambda path: (row_of[path], path))
    rows = tuple(row_of[path] for path in paths)
    filed = index.label_of(rows[0]) if rows and rows[0] != NOT_THERE else found[0].label
    return Case(number, kind, tuple(found), tuple(paths), rows, filed)


def _rows(findings: Findings, index: Index) -> dict[str, int]:
    paths = list(dict.fromkeys(path for row in findings.rows for path in (row.path, row.other) if path))
    rows = pc.index_in(pa.array(paths, pa.large_string()), index.paths).to_pylist()
    return {path: NOT_THERE if row is None else row for path, row in zip(paths, rows, strict=True)}


def _leaders(findings: Findings) -> dict[str, str]:
    """Union-find over the paths of pairs: each points at another one of its group, or at itself."""
    leader: dict[str, str] = {}
    for finding in findings.rows:
        if finding.path and finding.other:
            one, two = _leader(leader, finding.path), _leader(leader, finding.other)
            leader[one] = two
    return leader


def _leader(leader: dict[str, str], path: str) -> str:
    while leader.setdefault(path, path) != path:
        leader[path] = leader[leader[path]]  # halves the way for whoever comes next
        path = leader[path]
    return path
