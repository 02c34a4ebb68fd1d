"""What a walk over a folder leaves out. Apart from the index, which needs the table library: predicting does not."""

from __future__ import annotations

from dataclasses import dataclass

NO_IMAGE = "no image, by its name"
"""The one reason that is no fault of the data."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file or folder that is left out, and why."""

    path: str
    reason: str
