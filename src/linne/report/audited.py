"""What the report says of the data: images a class and subset, and what the audit found, with pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linne.records.findings import Finding, Findings
from linne.records.index import NONE, TEST, TRAIN, VALIDATION, Index
from linne.records.split import Split
from linne.report.thumbnails import Album, Picture

MOST_PICTURES = 60
"""In all findings together, so that the file can be sent by mail."""

MOST_ROWS = 12
"""Of one check; all of them are in findings.parquet."""

UNREADABLE = "unreadable"
LABEL_DOUBT = "label doubt"


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding, with its pictures where it is one to look at."""

    finding: Finding
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the audit: how many findings, and the surest of them."""

    name: str
    count: int
    rows: tuple[Shown, ...]

    @property
    def pictured(self) -> bool:
        """Whether its findings are shown as pictures, rather than as a list."""
        return any(row.pictures for row in self.rows)

    @property
    def doubts_labels(self) -> bool:
        """Whether a suggestion is a class."""
        return self.name == LABEL_DOUBT


@dataclass(frozen=True, slots=True)
class ClassCount:
    """Images of one class: all of them, in train, validation and test, and left out."""

    label: str
    images: int
    subsets: tuple[int, ...]
    share: float


def class_counts(index: Index, split: Split) -> tuple[ClassCount, ...]:
    """Count the images of each class; `share` is relative to the largest class."""
    images = index.counts()
    subsets = np.stack([index.counts(split.rows(subset)) for subset in (TRAIN, VALIDATION, TEST, NONE)], axis=1)
    most = max(int(images.max(initial=0)), 1)
    return tuple(
        ClassCount(label, int(images[i]), tuple(subsets[i].tolist()), int(images[i]) / most)
        for i, label in enumerate(index.labels)
    )


def checks(findings: Findings, index: Index, album: Album) -> tuple[Check, ...]:
    """Give each check with its surest findings; those with images share the pictures evenly.

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
    pictured = [name for name, rows in by_name.items() if name != UNREADABLE and any(row.path for row in rows)]
    fair = MOST_PICTURES // max(len(pictured), 1)
    surest = {name: rows[: _rows_of(rows, fair) if name in pictured else MOST_ROWS] for name, rows in by_name.items()}
    labels = labels_of(index, (path for name in pictured for row in surest[name] for path in (row.path, row.other)))

    def shown(name: str, row: Finding) -> Shown:
        paths = [path for path in (row.path, row.other) if path] if name in pictured else []
        return Shown(row, tuple(album.picture(path, labels.get(path, "")) for path in paths))

    return tuple(
        Check(name, len(by_name[name]), tuple(shown(name, row) for row in rows)) for name, rows in surest.items()
    )


def labels_of(index: Index, paths: Iterable[str]) -> dict[str, str]:
    """Find the classes of some paths; those that the index does not have are left out."""
    wanted = sorted({path for path in paths if path})
    rows = pc.index_in(pa.array(wanted, pa.large_string()), index.paths)
    return {path: index.label_of(row) for path, row in zip(wanted, rows.to_pylist(), strict=True) if row is not None}


def _rows_of(rows: list[Finding], pictures: int) -> int:
    """How many findings a number of pictures allows, at least one."""
    each = 2 if any(row.other for row in rows) else 1
    return max(min(MOST_ROWS, pictures // each), 1)
