"""Walk a folder once: which files are there, without opening any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from linne.index.names import IMAGE_SUFFIXES, is_debris, is_utf8
from linne.records.errors import printable
from linne.records.index import SetAside


@dataclass(frozen=True, slots=True)
class Image:
    """A file whose name says that it is an image."""

    path: str
    size: int


def scan(root: str) -> Iterator[Image | SetAside]:
    """Yield every image file below `root`, folders in sorted order, and what was set aside and why.

    Links are followed, once: a folder that was already entered under another name is set aside, so a loop
    ends. Hidden names and the debris of operating systems are passed over. Paths are below `root`, with ``/``.
    """
    top = os.stat(root)
    yield from _scan(root, "", {(top.st_dev, top.st_ino)})


def _scan(root: str, below: str, entered: set[tuple[int, int]]) -> Iterator[Image | SetAside]:
    try:
        with os.scandir(os.path.join(root, below)) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield SetAside(below, f"folder cannot be read: {error.strerror}")
        return
    folders = []
    for entry in entries:
        if is_debris(entry.name):
            continue
        path = f"{below}/{entry.name}" if below else entry.name
        if not is_utf8(entry.name):
            yield SetAside(printable(path), "name is not UTF-8; rename it")
            continue
        try:
            if entry.is_dir():
                folders.append((entry, path))
            elif not entry.is_file():
                yield SetAside(path, "broken link" if entry.is_symlink() else "no regular file")
            elif PurePosixPath(entry.name).suffix.lower() not in IMAGE_SUFFIXES:
                yield SetAside(path, "no image, by its name")
            elif (size := entry.stat().st_size) == 0:
                yield SetAside(path, "empty file")
            else:
                yield Image(path, size)
        except OSError as error:  # a link that points to itself, a file that has just gone
            yield SetAside(path, f"cannot be read: {error.strerror}")
    for entry, path in folders:
        about = entry.stat()
        identity = (about.st_dev, about.st_ino)
        if identity in entered:
            yield SetAside(path, "link to a folder that was read already")
            continue
        entered.add(identity)
        yield from _scan(root, path, entered)
