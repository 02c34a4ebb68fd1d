"""The bytes of one image, wherever they lie."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from linne.records.errors import ImageError
from linne.records.fingerprint import of_bytes

MAX_BYTES = 1 << 30
"""A larger file is refused unread."""


class Content(Protocol):
    """The content of one image file, not read yet."""

    @property
    def name(self) -> str:
        """What to call it in an error."""

    def read(self) -> bytes:
        """Read it whole; `ImageError` if it is gone, may not be read, or has more than `MAX_BYTES`."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file of its own."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def read(self) -> bytes:
        """Read it whole; `ImageError` if it cannot be."""
        return read_file(self.path)


_NO_WAITING = getattr(os, "O_NONBLOCK", 0)


def _without_waiting(path: str, flags: int) -> int:
    """Open at once what has the name of an image: a pipe, which it may have become, would wait for a writer."""
    return os.open(path, flags | _NO_WAITING)


def read_file(path: Path) -> bytes:
    """Read an image file whole.

    Raises
    ------
    ImageError
        It is gone, may not be read, is no regular file, or has more than `MAX_BYTES`.
    """
    try:
        # Unbuffered, and opened by its text: the layers of `pathlib` and `io` take ten times as long as the reading.
        with open(os.fspath(path), "rb", buffering=0, opener=_without_waiting) as file:
            about = os.fstat(file.fileno())
            regular, too_large = stat.S_ISREG(about.st_mode), about.st_size > MAX_BYTES
            content = file.read() if regular and not too_large else b""
    except OSError as error:
        raise ImageError("cannot be read", file=path, value=error.strerror, remedy="check the path") from error
    if not regular:
        raise ImageError("is no regular file", file=path, remedy="leave it out or replace it")
    if too_large or len(content) > MAX_BYTES:
        raise ImageError(f"more than {MAX_BYTES} bytes", file=path, remedy="leave it out or replace it")
    return content


def read_as_indexed(content: Content, digest: bytes) -> bytes:
    """Read an image whole; `ImageError` if it cannot be, or has another digest than when it was indexed."""
    read = content.read()
    if of_bytes(read) != digest:
        raise ImageError("was changed since it was indexed", file=content.name, remedy="make a new run")
    return read
