"""What has come of a file so far, and of which version of it."""

from __future__ import annotations

import json
from pathlib import Path

from linne.records.atomic import write_json


class Part:
    """The bytes that are here, beside the place of the whole file.

    Parameters
    ----------
    target : Path
        Where the whole file will be.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")

    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self, url: str) -> str:
        """What the server of this address called the version that these bytes are of; '' if that is not known."""
        try:
            note = json.loads(self._note.read_bytes())
            return str(note["version"]) if note["url"] == url else ""
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return ""

    def begin(self, url: str, version: str) -> None:
        """Throw away what is here, and note what will come: in this order, or the note might tell of other bytes."""
        self.remove()
        if version:
            write_json(self._note, {"url": url, "version": version})

    def remove(self) -> None:
        """Throw away what is here."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def take_place(self, target: Path) -> None:
        """Make the part the whole file."""
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
