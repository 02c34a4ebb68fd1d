"""Pairs of copies to groups, which are looked at together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from linne.records.findings import Finding

MOST = 4
"""Pictures of a group that are shown."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Images that belong together.

    Attributes
    ----------
    finding : Finding
        The surest.
    shown : tuple of str
        Paths of the first few.
    notes : dict
        By path, what is said of it; empty where the same is said of all.
    more : int
        Images beyond those.
    """

    finding: Finding
    shown: tuple[str, ...]
    notes: dict[str, str] = field(default_factory=dict)
    more: int = 0


def alone(row: Finding) -> Copies:
    """One image, or none where a finding is about classes."""
    return Copies(row, (row.path,) if row.path else ())


def groups_of(rows: Sequence[Finding]) -> list[Copies]:
    """Join the pairs of one check: the surest groups first, of equally sure ones the largest."""
    parent: dict[str, str] = {}

    def root(path: str) -> str:
        while parent.setdefault(path, path) != path:
            parent[path] = path = parent[parent[path]]
        return path

    for row in rows:
        parent[root(row.path)] = root(row.other or row.path)
    groups: dict[str, list[Finding]] = {}
    for row in rows:
        groups.setdefault(root(row.path), []).append(row)
    ordered = sorted(groups.values(), key=lambda pairs: (-max(pair.score for pair in pairs), -len(pairs)))
    return [_copies(pairs) for pairs in ordered]


def _copies(pairs: list[Finding]) -> Copies:
    paths = list(dict.fromkeys(path for pair in pairs for path in (pair.other, pair.path) if path))
    same = len({pair.reason for pair in pairs}) == 1
    shown = tuple(paths[:MOST])
    notes = {} if same else {pair.path: pair.reason for pair in pairs if pair.path in shown}
    return Copies(max(pairs, key=lambda pair: pair.score), shown, notes, len(paths) - len(shown))
