"""Images of the index as JPEG: small ones for the page, and larger ones to look at."""

from __future__ import annotations

import io

from PIL import Image

from linne.pixels.shrunk import Undecoded, shrink_for
from linne.records.content import Content
from linne.records.errors import ImageError

SMALL, LARGE = 240, 1400
"""Pixels of the longer side."""

QUALITY = {SMALL: 80, LARGE: 88}


def jpeg(content: Content, side: int) -> bytes:
    """Give an image upright, of any mode, its longer side at most `side` pixels.

    Raises
    ------
    ImageError
        It is gone, damaged or too large.
    """
    try:
        picture = Undecoded(content.read(), 3, content.name)
    except ValueError as error:  # a name that no file can have
        raise ImageError("no file can have this name", file=content.name, remedy="leave it out") from error
    longer = max(picture.width, picture.height)
    scale = min(1.0, side / longer)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    pixels = picture.pixels(shrink_for((picture.width, picture.height), size))
    out = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS).save(out, "JPEG", quality=QUALITY[side])
    return out.getvalue()
