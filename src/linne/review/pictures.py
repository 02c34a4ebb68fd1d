"""Images of the index as JPEG: small ones for the page, and larger ones to look at."""

from __future__ import annotations

import io

from PIL import Image

from linne.pixels.shrunk import Undecoded, shrink_for
from linne.records.content import Content
from linne.records.errors import ImageError
from linne.records.fingerprint import of_bytes

SMALL, LARGE = 240, 1400
"""Pixels of the longer side."""

QUALITY = {SMALL: 80, LARGE: 88}


def jpeg(content: Content, side: int, digest: str) -> bytes:
    """Give an image upright, of any mode, its longer side at most `side` pixels.

    Raises
    ------
    ImageError
        It is gone, damaged or too large, or is not the one that was audited, which had `digest`, if that is known.
    """
    try:
        read = content.read()
        if digest and of_bytes(read).hex() != digest:
            # What is decided is about the picture that was audited, so another is not shown for it.
            raise ImageError("was replaced since the audit", file=content.name, remedy="run `linne audit` again")
        picture = Undecoded(read, 3, content.name)
    except ValueError as error:  # a name that no file can have
        raise ImageError("no file can have this name", file=content.name, remedy="leave it out") from error
    longer = max(picture.width, picture.height)
    scale = min(1.0, side / longer)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    pixels = picture.pixels(shrink_for((picture.width, picture.height), size))
    out = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS).save(out, "JPEG", quality=QUALITY[side])
    return out.getvalue()
