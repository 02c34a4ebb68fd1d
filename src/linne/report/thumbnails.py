"""Pictures as small JPEG data URIs; one that cannot be shown any more becomes a note."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from linne.pixels.decode import decode, read_file
from linne.records.errors import ImageError

SIDE = 160
QUALITY = 80


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the report.

    Attributes
    ----------
    path : str
        Below the index's root.
    label : str
        The class that it is filed under; empty where it is not in the index.
    uri : str
        ``data:image/jpeg;base64,...``; empty where it cannot be shown.
    note : str
        Why it cannot be shown.
    """

    path: str
    label: str
    uri: str
    note: str = ""


class Album:
    """Pictures of one data set, each decoded once.

    Parameters
    ----------
    root : path
        The folder that the index was made of.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._shown: dict[str, tuple[str, str]] = {}

    def picture(self, path: str, label: str = "") -> Picture:
        """Give one picture; a file that is gone or damaged gives a note, never an error."""
        if path not in self._shown:
            self._shown[path] = _shown(self._root / path)
        return Picture(path, label, *self._shown[path])


def thumbnail(file: Path) -> str:
    """Shrink an image to at most 160 x 160 pixels, upright.

    Returns
    -------
    str
        ``data:image/jpeg;base64,...``

    Raises
    ------
    ImageError
        It is gone or damaged.
    """
    picture = decode(read_file(file), 3, str(file))
    picture.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _shown(file: Path) -> tuple[str, str]:
    try:
        return thumbnail(file), ""
    except (ImageError, ValueError) as error:  # ValueError: a name that no file can have
        return "", error.problem if isinstance(error, ImageError) else "no file can have this name"
