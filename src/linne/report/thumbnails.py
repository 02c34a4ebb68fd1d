"""Pictures as small JPEG data URIs; one that cannot be shown any more becomes a note."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from PIL import Image

from linne.pixels.decode import decode
from linne.records.content import Content
from linne.records.errors import ImageError
from linne.records.index import Index

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

    @property
    def filed(self) -> str:
        """The class, where the path does not say it already."""
        return "" if self.label in self.path.split("/")[:-1] else self.label


class Album:
    """Pictures of one data set, each decoded once."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._shown: dict[str, tuple[str, str]] = {}

    def picture(self, path: str, label: str = "") -> Picture:
        """Give one picture; a file that is gone or damaged gives a note, never an error."""
        if path not in self._shown:
            row = self._index.row_of(path)
            self._shown[path] = ("", "is not in the index") if row is None else _shown(self._index.content(row))
        return Picture(path, label, *self._shown[path])


def thumbnail(content: Content) -> str:
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
    picture = decode(content.read(), 3, content.name)
    picture.thumbnail((SIDE, SIDE))
    return data_uri(picture)


def data_uri(picture: Image.Image) -> str:
    """Write a picture as JPEG into ``data:image/jpeg;base64,...``."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _shown(content: Content) -> tuple[str, str]:
    try:
        return thumbnail(content), ""
    except (ImageError, ValueError) as error:  # ValueError: a name that no file can have
        return "", error.problem if isinstance(error, ImageError) else "no file can have this name"
