"""What a walk over a folder leaves out. Apart from the index, which needs the table library: predicting does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file or folder that is left out, and why."""

    path: str
    reason: str
