"""Pairs of copies to groups, which are looked at together."""

from __future__ import annotations

from collections import deque
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
        By path, what is said of it against another, which is named by its place; empty where the same is said of all.
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
    surest = max(pairs, key=lambda pair: pair.score)
    paths = _along(pairs, surest.other or surest.path)
    shown = paths[:MOST]
    place = {path: position for position, path in enumerate(shown, 1)}
    notes: dict[str, str] = {}
    if len({pair.reason for pair in pairs}) > 1:
        for pair in pairs:
            if pair.path in place and pair.other in place:
                said = f"against {place[pair.other]} {pair.reason}"
                notes[pair.path] = "; ".join(filter(None, (notes.get(pair.path), said)))
    return Copies(surest, tuple(shown), notes, len(paths) - len(shown))


def _along(pairs: list[Finding], start: str) -> list[str]:
    """Walk from picture to picture, so that each but the first is paired with one before it."""
    beside: dict[str, list[str]] = {}
    for pair in pairs:
        beside.setdefault(pair.other, []).append(pair.path)
        beside.setdefault(pair.path, []).append(pair.other)
    walked = dict.fromkeys([start])
    ahead = deque([start])
    while ahead:
        for path in beside[ahead.popleft()]:
            if path and path not in walked:
                walked[path] = None
                ahead.append(path)
    return list(walked)
