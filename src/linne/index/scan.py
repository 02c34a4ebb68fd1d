"""Walk a folder once: which files are there, without opening any."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from linne.index.names import IMAGE_SUFFIXES, is_debris, is_utf8
from linne.records.errors import printable
from linne.records.set_aside import NO_IMAGE, SetAside


@dataclass(frozen=True, slots=True)
class Image:
    """A file whose name says that it is an image."""

    path: str
    size: int


def scan(root: str) -> Iterator[Image | SetAside]:
    """Yield every image file below `root`, folders in sorted order, and what was set aside and why.

    Folders are entered once, and those that are linked after all the others: a folder keeps its own name, and
    a loop of links ends. Hidden names and the debris of operating systems are passed over. Paths are below
    `root`, with ``/``.
    """
    top = os.stat(root)
    entered = {(top.st_dev, top.st_ino)}
    links: deque[str] = deque()
    yield from _walk(root, "", entered, links)
    while links:
        below = links.popleft()
        try:
            new = _enter(root, below, entered)
        except OSError as error:
            yield SetAside(below, f"cannot be read: {error.strerror}")
            continue
        if new:
            yield from _walk(root, below, entered, links)
        else:
            yield SetAside(below, "link to a folder that was read already")


def _walk(root: str, top: str, entered: set[tuple[int, int]], links: deque[str]) -> Iterator[Image | SetAside]:
    """Everything below the folder `top`; folders that are links are added to `links` instead."""
    waiting = [top]  # a stack of our own: folders may lie deeper than Python's
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(os.path.join(root, below)) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield SetAside(below, f"folder cannot be read: {error.strerror}")
            continue
        folders = []
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            try:
                if is_debris(entry.name):
                    continue
                if not is_utf8(entry.name):
                    yield SetAside(printable(path), "name is not UTF-8; rename it")
                elif not entry.is_dir():
                    yield _file(entry, path)
                elif entry.is_symlink():
                    links.append(path)
                elif _enter(root, path, entered):
                    folders.append(path)
            except OSError as error:  # a link that points to itself, a file that has just gone
                yield SetAside(path, f"cannot be read: {error.strerror}")
        waiting += reversed(folders)


def _enter(root: str, path: str, entered: set[tuple[int, int]]) -> bool:
    """Note that a folder is entered; False where it was before."""
    about = os.stat(os.path.join(root, path))
    identity = (about.st_dev, about.st_ino)
    new = identity not in entered
    entered.add(identity)
    return new


def _file(entry: os.DirEntry[str], path: str) -> Image | SetAside:
    if not entry.is_file():
        gone = entry.is_symlink() and not os.path.exists(entry.path)
        return SetAside(path, "broken link" if gone else "no regular file")
    if PurePosixPath(entry.name).suffix.lower() not in IMAGE_SUFFIXES:
        return SetAside(path, NO_IMAGE)
    size = entry.stat().st_size
    return Image(path, size) if size else SetAside(path, "empty file")
