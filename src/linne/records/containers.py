"""A file that holds many images, and whether it is still the one that was indexed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Literal

from linne.records.errors import DataError, ImageError

Kind = Literal["tar", "zip", "parquet", "arrow"]

ENDS = 1 << 16
"""Bytes at either end of a container that its stamp covers: a zip's directory, a Parquet file's footer."""

REMEDY = "make the index again with `linne fit` or `linne audit`"


@dataclass(frozen=True, slots=True)
class Container:
    """A file that holds images.

    Attributes
    ----------
    path : str
        Below the index's root, with ``/``; empty where the root is the container.
    kind : str
    stamp : str
        Hex digest of its size and its two ends when it was indexed. A copy keeps it, unlike a time.
    column, field : str
        Of a table: the column that holds the bytes, and where it holds structs their field.
    """

    path: str
    kind: Kind
    stamp: str
    column: str = ""
    field: str = ""


def stamp_of(path: Path) -> str:
    """Digest a file's size and its two ends; `DataError` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return _stamp(file)
    except OSError as error:
        raise DataError("cannot be read", file=path, value=error.strerror, remedy="check the path") from error


def refuse_if_changed(path: Path, file: BinaryIO, stamp: str) -> tuple[int, int, int]:
    """Give what tells this state of an open container from another; `ImageError` if it is not the indexed one."""
    about = os.fstat(file.fileno())
    state = (about.st_size, about.st_mtime_ns, about.st_ino)
    if _stamp_in_state(path, state) != stamp:
        raise ImageError("was changed since it was indexed", file=path, remedy=REMEDY)
    return state


@lru_cache(maxsize=1 << 14)
def _stamp_in_state(path: Path, state: tuple[int, int, int]) -> str:  # noqa: ARG001 - part of the key
    """Read a container's ends once, and again only when the file system says that it was written to."""
    try:
        with path.open("rb") as file:
            return _stamp(file)
    except OSError as error:
        raise ImageError("cannot be read", file=path, value=error.strerror, remedy="check the path") from error


def _stamp(file: BinaryIO) -> str:
    size = file.seek(0, os.SEEK_END)
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    for start in (0, max(0, size - ENDS)):
        file.seek(start)
        digest.update(file.read(ENDS))
    return digest.hexdigest()
