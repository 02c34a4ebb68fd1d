"""Which findings over which images a page shows, and whether they are still those in the folder."""

from __future__ import annotations

import os
from pathlib import Path

from linne.records import fingerprint
from linne.records.audited import Audited

_Stat = tuple[int, int, int] | None


class Edition:
    """The files of an audit as they were when they were read.

    Parameters
    ----------
    audited : Audited

    Attributes
    ----------
    name : str
        Names these very files: numbers of cases mean nothing for others.
    """

    def __init__(self, audited: Audited) -> None:
        self._files = [audited.index, audited.findings, audited.split if audited.is_run else audited.digests]
        self._stats = self._look()
        self.name = self._digest()

    def is_current(self) -> bool:
        """Whether nothing was audited anew; files that were written again the same are the same."""
        stats = self._look()
        if stats == self._stats:
            return True
        same = self._digest() == self.name
        if same:
            self._stats = stats
        return same

    def _look(self) -> list[_Stat]:
        return [_stat(file) for file in self._files]

    def _digest(self) -> str:
        return fingerprint.of_settings([_content(file) for file in self._files])


def _stat(file: Path) -> _Stat:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _content(file: Path) -> str:
    """Digest of a file; empty where there is none, which whoever reads it tells."""
    try:
        return fingerprint.of_bytes(file.read_bytes()).hex()
    except OSError:
        return ""
