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
        By path, what is said of it against one before it, which is named by its place; empty where the same is said of
        all.
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
    walk = _along(pairs, surest.other or surest.path)
    shown = tuple(walk)[:MOST]
    same = len({pair.reason for pair in pairs}) == 1
    notes = {} if same else {path: _note(path, pair, shown) for path in shown if (pair := walk[path]) is not None}
    return Copies(surest, shown, notes, len(walk) - len(shown))


def _note(path: str, pair: Finding, shown: tuple[str, ...]) -> str:
    """What a pair says of one picture against the one before it, or of that one against this."""
    if pair.path == path:
        return f"against {shown.index(pair.other) + 1} {pair.reason}"
    return f"{shown.index(pair.path) + 1} against it {pair.reason}"


def _along(pairs: list[Finding], start: str) -> dict[str, Finding | None]:
    """Walk from picture to picture: each with its pair with one that comes before it, the first without."""
    beside: dict[str, list[tuple[str, Finding]]] = {}
    for pair in pairs:
        beside.setdefault(pair.other, []).append((pair.path, pair))
        beside.setdefault(pair.path, []).append((pair.other, pair))
    walked: dict[str, Finding | None] = {start: None}
    ahead = deque([start])
    while ahead:
        for path, pair in beside[ahead.popleft()]:
            if path and path not in walked:
                walked[path] = pair
                ahead.append(path)
    return walked
