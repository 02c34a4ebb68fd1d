"""What the audit found, and the split that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from linne.embed.embedding import Embedding
from linne.records.findings import Findings
from linne.records.index import Index
from linne.records.progress import Progress
from linne.records.split import Split
from linne.road.geometry import trained_in_any_case
from linne.road.inspection import inspect
from linne.split.assign import make_split
from linne.split.groups import groups_by_name


@dataclass(frozen=True)
class Drawn:
    """The findings and the split of one index."""

    findings: Findings
    split: Split


def draw(index: Index, embedding: Embedding, seed: int, group_by: str | None, store: Path, progress: Progress) -> Drawn:
    """Audit an index and split it; see `inspect` and `make_split` for what they raise."""
    named = None if group_by is None else groups_by_name(index, group_by)
    inspection = inspect(index, embedding, seed, store, progress, named)
    counts = inspection.findings.counts()
    listing = ", ".join(f"{number} {check}" for check, number in counts.items()) or "nothing found"
    progress.say(f"audit: {listing}")
    trained = trained_in_any_case(index, seed, group_by)
    split = make_split(index, inspection.groups, embedding.passed.readable, seed, trained)
    return Drawn(inspection.findings, split)
