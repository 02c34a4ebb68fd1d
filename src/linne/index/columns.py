"""Which columns of a table hold the path, the label and the subset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from linne.records.errors import DataError, printable

# In order of preference; compared without case, blanks, hyphens and underscores.
PATHS: tuple[str, ...] = (
    "path",
    "filepath",
    "imagepath",
    "imgpath",
    "file",
    "filename",
    "imagefile",
    "imagefilename",
    "imagename",
)
PATHS += ("imgname", "image", "img", "photo", "picture")
IMAGES = ("image", "img", "photo", "picture", "bytes", "jpg", "jpeg", "png", "webp")
LABELS: tuple[str, ...] = (
    "label",
    "labels",
    "class",
    "classes",
    "classname",
    "labelname",
    "category",
    "categories",
    "categoryname",
)
LABELS += ("target", "targets", "tag", "tags", "y")
SPLITS = ("split", "subset", "partition", "set")

LISTED = 20


@dataclass(frozen=True)
class Columns:
    """Which columns of a table to read; what is None is found by its usual name.

    Attributes
    ----------
    path : str, optional
        Of the image's path, or of the image itself where the table holds the bytes.
    label : str or tuple of str, optional
        Of the class, or of several classes an image; several columns of 0 and 1 are a class each.
    split : str, optional
        Of train, validation or test.
    separator : str, optional
        Between several labels in one text; empty where a label is never to be cut. By default ``|`` or ``;``, if it
        joins labels that occur elsewhere.
    """

    path: str | None = None
    label: str | tuple[str, ...] | None = None
    split: str | None = None
    separator: str | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Asked for label columns; empty for none."""
        return () if self.label is None else (self.label,) if isinstance(self.label, str) else tuple(self.label)


def find_column(source: Path, there: Sequence[str], asked: str | None, usual: Sequence[str]) -> str | None:
    """Give the column that was asked for, or else that of the first usual name that there is.

    Raises
    ------
    DataError
        The asked one is not there, or two have its name.
    """
    if asked is not None:
        found = asked if asked in there else next((name for name in there if name.strip() == asked.strip()), None)
        if found is None:
            raise missing_column(source, there, f"has no column {asked!r}", "give one of these")
    else:
        by_meaning = {_plain(name): name for name in reversed(there)}
        found = next((by_meaning[name] for name in usual if name in by_meaning), None)
    if found is not None and list(there).count(found) > 1:
        raise missing_column(source, there, f"has two columns {found!r}", "rename one of them")
    return found


def find_labels(source: Path, there: Sequence[str], columns: Columns) -> list[str]:
    """Give the label column, or the several that were asked for."""
    if columns.labels:
        asked = [find_column(source, there, name, ()) for name in dict.fromkeys(columns.labels)]
        return [name for name in asked if name is not None]
    found = find_column(source, there, None, LABELS)
    if found is None:
        raise missing_column(source, there, "has no column of labels that is known by its name", "give --label-column")
    return [found]


def missing_column(source: Path, there: Sequence[str], problem: str, remedy: str) -> DataError:
    """Say which columns there are."""
    more = f" and {len(there) - LISTED} more" if len(there) > LISTED else ""
    return DataError(problem, file=source, value=", ".join(map(printable, there[:LISTED])) + more, remedy=remedy)


@lru_cache(maxsize=4096)  # asked again for each sample of a shard
def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()
