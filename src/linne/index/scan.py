"""Walk a folder once: which files are there, without opening any.

A folder's files come as one `Listing`: an object a file would take longer to make than the file system takes to
tell of it. No file is asked for its size: that took four fifths of the time, and takes more from a server.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from linne.index.names import IMAGE_SUFFIXES, has_image_suffix, is_debris, is_utf8
from linne.records.errors import printable
from linne.records.set_aside import NO_IMAGE, SetAside

_SUFFIXES = frozenset(f".{suffix}" for lower in IMAGE_SUFFIXES for suffix in (lower, lower.upper()))
_name = attrgetter("name")

OF_OURS = frozenset(("index.parquet", "findings.parquet"))
"""A folder below the root with both is an audit or a run of linne's, as `linne audit .` leaves: no part of the data."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one folder whose names say that they are images.

    Attributes
    ----------
    folder : str
        Below the root, with ``/``; empty for the root.
    names : list of str
        In sorted order.
    """

    folder: str
    names: list[str]

    def paths(self) -> list[str]:
        """Paths of the files below the root."""
        return [f"{self.folder}/{name}" for name in self.names] if self.folder else self.names


def scan(root: str) -> Iterator[Listing | SetAside]:
    """Yield the image files of every folder below `root`, folders in sorted order, and what was set aside and why.

    Folders are entered once, and those that are linked after all the others: a folder keeps its own name, and
    a loop of links ends. Hidden names, the debris of operating systems and what linne wrote are passed over. Paths
    are below `root`, with ``/``.
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


def _walk(root: str, top: str, entered: set[tuple[int, int]], links: deque[str]) -> Iterator[Listing | SetAside]:
    """Everything below the folder `top`; folders that are links are added to `links` instead."""
    waiting = [top]  # a stack of our own: folders may lie deeper than Python's
    while waiting:
        below = waiting.pop()
        aside: list[SetAside] = []
        try:
            listing, folders = _list(root, below, aside)
        except OSError as error:
            yield SetAside(below, f"folder cannot be read: {error.strerror}")
            continue
        if listing.names:
            yield listing
        new = []
        for path, linked in folders:
            try:
                if linked:
                    links.append(path)
                elif _enter(root, path, entered):
                    new.append(path)
                else:  # it lies behind a link
                    aside.append(SetAside(path, "folder that was read already"))
            except OSError as error:  # one that has just gone
                aside.append(SetAside(path, f"cannot be read: {error.strerror}"))
        yield from aside
        waiting += reversed(new)


def _list(root: str, below: str, aside: list[SetAside]) -> tuple[Listing, list[tuple[str, bool]]]:
    """Images of one folder, and the folders in it, each with whether it is a link."""
    place = os.path.join(root, below)
    with os.scandir(place) as entries:
        names, others = _plain_images(entries)
    if below and {entry.name for entry in others} >= OF_OURS:
        return Listing(below, []), []
    folders: list[tuple[str, bool]] = []
    for entry in sorted(others, key=_name):
        name = entry.name
        if is_debris(name):
            continue
        try:
            if is_utf8(name) and entry.is_file():
                if has_image_suffix(name):
                    names.append(name)
                    continue
                problem = NO_IMAGE
            else:
                problem = _no_file(place, entry)
        except OSError as error:  # a link that points to itself, a file that has just gone
            problem = f"cannot be read: {error.strerror}"
        path = f"{below}/{name}" if below else name
        if problem:
            aside.append(SetAside(path if is_utf8(name) else printable(path), problem))
        else:
            folders.append((path, entry.is_symlink()))
    names.sort()
    return Listing(below, names), folders


def _plain_images(entries: Iterable[os.DirEntry[str]]) -> tuple[list[str], list[os.DirEntry[str]]]:
    """Names of files that are images without a doubt, and everything else: most are, so this is kept short."""
    names: list[str] = []
    others: list[os.DirEntry[str]] = []
    for entry in entries:
        name = entry.name
        if name[name.rfind(".") :] in _SUFFIXES and name[0] != "." and name.isascii() and _is_plain_file(entry):
            names.append(name)
        else:
            others.append(entry)
    return names, others


def _is_plain_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:  # it will be told of
        return False


def _no_file(place: str, entry: os.DirEntry[str]) -> str:
    """Why this is no file to look at; empty for a folder."""
    if not is_utf8(entry.name):
        return "name is not UTF-8; rename it"
    if entry.is_dir():
        return ""
    gone = entry.is_symlink() and not os.path.exists(os.path.join(place, entry.name))
    return "broken link" if gone else "no regular file"


def _enter(root: str, path: str, entered: set[tuple[int, int]]) -> bool:
    """Note that a folder is entered; False where it was before."""
    about = os.stat(os.path.join(root, path))
    identity = (about.st_dev, about.st_ino)
    new = identity not in entered
    entered.add(identity)
    return new
