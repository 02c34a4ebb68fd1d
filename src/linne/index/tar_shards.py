"""Tars: shards of samples as WebDataset writes them, or class folders; nothing is unpacked.

In a shard, members that follow each other and have one key, the name up to the first dot after the last slash,
are one sample: ``0001.jpg``, ``0001.cls``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from linne.index.archive import Members, index_by_folder
from linne.index.columns import LABELS, Columns, find_column
from linne.index.label_columns import label_column
from linne.index.labelled import as_index
from linne.index.names import IMAGE_SUFFIXES, has_image_suffix, is_debris, is_utf8, subset_in_name
from linne.index.table_folders import subsets_of
from linne.index.tar_members import Member, Torn, walk
from linne.records.contained import Contained
from linne.records.containers import Container, stamp_of
from linne.records.errors import DataError, printable
from linne.records.index import Index
from linne.records.set_aside import NO_IMAGE, SetAside

MAX_LABEL = 1 << 20
"""A label, or the JSON that has it, is no longer."""

LAYOUT = "a sample has an image and a label: 0001.jpg and 0001.cls, or 0001.json with a label; or class folders"

Label = str | list[str] | None


@dataclass
class _Sample:
    """Members with one key."""

    key: str
    images: list[tuple[str, Member]] = field(default_factory=list)
    cls: Member | None = None
    json: Member | None = None
    others: list[Member] = field(default_factory=list)


class _Shards:
    """What shards hold, gathered flat."""

    def __init__(self, source: Path, columns: Columns) -> None:
        self.source, self.columns = source, columns
        self.members = Members()
        self.labels: list[Label] = []
        self.samples = False
        self._seen: set[str] = set()
        self._other: list[SetAside] = []

    def read(self, number: int, path: Path, below: str) -> None:
        """Walk one shard."""
        self._seen.clear()
        prefix = f"{below}/" if below else ""
        try:
            with path.open("rb", buffering=2048) as file:
                try:
                    sample = _Sample("")
                    for member in walk(file, path.stat().st_size):
                        key, extension = _split(member.name)
                        if key != sample.key:
                            self._take(file, number, prefix, sample)
                            sample = _Sample(key)
                        self._sort(sample, extension, member, prefix)
                except Torn as torn:
                    self.members.aside.append(SetAside(below or path.name, str(torn)))
                self._take(file, number, prefix, sample)
        except OSError as error:
            raise DataError("cannot be read", file=path, value=error.strerror, remedy="check the file") from error

    def _sort(self, sample: _Sample, extension: str, member: Member, prefix: str) -> None:
        """Put a member where it belongs within its sample."""
        parts = member.name.removeprefix("./").split("/")
        if member.folder or any(is_debris(part) for part in parts if part not in ("", ".", "..")):
            return
        shown = prefix + printable(member.name)
        if not member.regular:
            self.members.aside.append(SetAside(shown, "no regular file"))
        elif not is_utf8(member.name):
            self.members.aside.append(SetAside(shown, "name is not UTF-8; rename it"))
        elif extension == "cls":
            sample.cls = member
        elif extension == "json":
            sample.json = member
        elif ".." in parts:
            self.members.aside.append(SetAside(shown, "name leads out of the archive"))
        elif has_image_suffix(member.name):
            sample.images.append((extension, member))
        else:
            self._other.append(SetAside(shown, NO_IMAGE))

    def _take(self, file: BinaryIO, number: int, prefix: str, sample: _Sample) -> None:
        """Add the image of a sample, and its label."""
        label = self._label(file, sample)
        self.samples = self.samples or bool(label)
        plain = [member for extension, member in sample.images if extension in IMAGE_SUFFIXES]
        chosen = (plain or [member for _, member in sample.images])[:1]
        for _, member in sample.images:
            path = prefix + member.name.removeprefix("./").lstrip("/")
            if label is not None and member not in chosen:
                self.members.aside.append(SetAside(path, "another image of the same sample"))
            elif not member.size:
                self.members.aside.append(SetAside(path, "empty file"))
            elif path in self._seen:
                self.members.aside.append(SetAside(path, "an earlier member has the same name"))
            else:
                self._seen.add(path)
                self.members.add(path, number, member.offset, member.size, member.size)
                self.labels.append(sys.intern(label) if isinstance(label, str) else label)

    def _label(self, file: BinaryIO, sample: _Sample) -> Label:
        if sample.cls is not None and not self.columns.labels:
            return _content(file, sample.cls).decode("utf-8", "replace").strip() or None
        if sample.json is None:
            return None
        try:
            about = json.loads(_content(file, sample.json))
        except (ValueError, RecursionError):
            return None
        if not isinstance(about, dict):
            return None
        asked = self.columns.labels[0] if self.columns.labels else None
        if asked is not None and asked not in about:
            return None
        name = find_column(self.source, list(about), asked, LABELS)
        return None if name is None else _as_label(about[name])

    def index(self, containers: Sequence[Container], subsets: Sequence[int]) -> Index:
        """Index by labels where any sample has one, else by class folders."""
        if not self.samples:
            self.members.aside += self._other
            return index_by_folder(self.source, self.members, containers, subsets)
        paths = self.members.paths()
        container, offset, stored, size = self.members.columns()
        several = any(isinstance(label, list) for label in self.labels)
        kind = pa.list_(pa.large_string()) if several else pa.large_string()
        values = [[label] if several and isinstance(label, str) else label for label in self.labels]
        found = label_column(
            self.source, [pa.chunked_array([pa.array(values, kind)])], ["label"], self.columns.separator, ()
        )
        aside = [
            *self.members.aside,
            *(SetAside(paths[int(i)].as_py(), found.reason) for i in np.flatnonzero(found.missing)),
        ]
        rows = np.flatnonzero(~found.missing)
        return as_index(
            self.source,
            str(self.source.resolve()),
            paths.take(pa.array(rows)),
            found.labels.take(rows),
            np.asarray(subsets, np.int8)[container[rows]],
            size[rows],
            aside,
            Contained(tuple(containers), container[rows], offset[rows], stored[rows]),
            LAYOUT,
        )


def read_tars(source: Path, names: Sequence[str], columns: Columns) -> Index:
    """Index one tar (`names` is an empty name), or tars below a folder.

    A label is what ``.cls`` says, or the label in ``.json``; where no sample has any, class folders count. The names
    of shards may speak of subsets: ``train-000.tar``, ``val-000.tar``.

    Raises
    ------
    DataError
        A shard cannot be read, or what `as_index` raises.
    """
    if columns.path is not None or columns.split is not None:
        raise DataError(
            "is no table: it has no such columns", file=source, remedy="leave out --path-column, --split-column"
        )
    shards = _Shards(source, columns)
    containers = []
    for number, name in enumerate(names):
        path = source / name
        containers.append(Container(name, "tar", stamp_of(path)))
        shards.read(number, path, name)
    return shards.index(containers, subsets_of(source, names, {name: subset_in_name(name) for name in names}))


def _split(name: str) -> tuple[str, str]:
    """Key and extension: at the first dot after the last slash."""
    folder, slash, base = name.rpartition("/")
    stem, _, extension = base.partition(".")
    return folder + slash + stem, extension.lower()


def _content(file: BinaryIO, member: Member) -> bytes:
    file.seek(member.offset)
    return file.read(min(member.size, MAX_LABEL))


def _as_label(value: Any) -> Label:
    """A label of JSON: text, a whole number, or a list of these."""
    if isinstance(value, list):
        return [text for each in value if isinstance(text := _as_label(each), str)]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else None
    text = str(value).strip()
    return text if text and is_utf8(text) else None
