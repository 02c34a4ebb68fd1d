"""What one image looks like, and what the network is to see of it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linne.pixels.decode import decode
from linne.pixels.facts import facts_of
from linne.pixels.perceptual import DETAIL_SIDE, perceptual_hash, thumbnail
from linne.pixels.prepare import pixels_of
from linne.pixels.shrunk import Undecoded, shrink_for
from linne.records.content import Content
from linne.records.errors import ImageError
from linne.records.fingerprint import of_bytes
from linne.records.pixel_spec import DECODING, PixelSpec

LOOKS = 5
"""Version of the thumbnails, the hash and the facts; to be raised when any changes, since the store keeps them."""

LOOKS_SHELF = f"facts-{DECODING}-{LOOKS}"
"""Folder name for what images look like."""

LONGEST_REASON = 200

SUFFICES = 96
"""Pixels a side for a hash of 32 x 32, three times that: what is decoded small then changes next to no bit of it."""


@dataclass(frozen=True)
class Looks:
    """One image: its digest, and what the store lacks of it.

    Attributes
    ----------
    digest : bytes
        Of the file's content; empty where it could not be read.
    facts : dict, optional
        Perceptual hash, thumbnail, and what else is cheap to know.
    pixels : (channels, height, width) uint8 array, optional
        For the network, still to be normalised.
    failure : str
        Why the file cannot be read or decoded. Never stored: another try, with another decoder, may do.
    """

    digest: bytes
    facts: dict[str, Any] | None = None
    pixels: NDArray[np.uint8] | None = None
    failure: str = ""


def look_at(content: Content, spec: PixelSpec | None, looked_at: Container[bytes], embedded: Container[bytes]) -> Looks:
    """Read one image and do what the store does not hold yet; runs in a thread.

    Parameters
    ----------
    content : Content
    spec : PixelSpec, optional
        Without it no pixels are wanted.
    looked_at, embedded : container of bytes
        Digests whose facts, and whose outputs of the network, are stored.
    """
    try:
        read = content.read()
    except ImageError as error:
        return Looks(b"", failure=_reason(error))
    digest = of_bytes(read)
    wants_pixels = spec is not None and digest not in embedded
    if digest in looked_at and not wants_pixels:
        return Looks(digest)
    pixels = facts = None
    try:
        if spec is not None and wants_pixels:
            pixels = pixels_of(decode(read, spec.channels), spec)
        if digest not in looked_at:
            facts = looks_of(read)
    except ImageError as error:
        return Looks(digest, failure=_reason(error))
    return Looks(digest, facts, pixels)


def _reason(error: ImageError) -> str:
    text = error.problem if error.value is None else f"{error.problem}: {error.value}"
    return text[:LONGEST_REASON].rstrip("\0")


def looks_of(content: bytes) -> dict[str, Any]:
    """Hash, thumbnail and statistics, from no more pixels than they need."""
    image = Undecoded(content, 3)
    small = image.pixels(shrink_for((image.width, image.height), (SUFFICES, SUFFICES)))
    gray = Image.fromarray(small).convert("L")
    return {
        "hash": perceptual_hash(gray),
        "thumb": thumbnail(gray),
        "detail": thumbnail(gray, DETAIL_SIDE),
        "facts": facts_of(image, len(content), small, gray),
    }
