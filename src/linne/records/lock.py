"""One process at a time in a folder, or at a file."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from linne.records.errors import RunError, WriteError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
"""In a folder that one process works in."""

MOST_WAITING = 1.0
"""Seconds, for a file that is held for a moment."""


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder; the system lets go of it when the process ends, however it does.

    Raises
    ------
    RunError
        Another process holds it.
    WriteError
        The folder cannot be written to.
    """
    path = folder / LOCK
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WriteError(
            "the run cannot be written to", file=folder, value=error.strerror, remedy="mend its permissions"
        ) from error
    try:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError(
                    "another process works in this run", file=folder, remedy="wait for it, or end it"
                ) from error
            except OSError as error:  # some file systems have no locks
                raise WriteError(
                    "the run cannot be locked", file=folder, value=error.strerror, remedy="choose a local folder"
                ) from error
        yield
    finally:
        os.close(file)


@contextlib.contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Hold a file that other processes change too; after a second, or where there are no locks, go on without."""
    file = None
    with contextlib.suppress(OSError):  # another user's, a folder that may not be written, a file system without locks
        file = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
        _wait_for(file)
    try:
        yield
    finally:
        if file is not None:
            os.close(file)


def _wait_for(file: int) -> None:
    if fcntl is None:
        return
    end = time.monotonic() + MOST_WAITING
    while time.monotonic() < end:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.005)
        else:
            return
