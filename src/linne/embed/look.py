"""What one image looks like, and what the network is to see of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linne.pixels.decode import decode
from linne.pixels.perceptual import perceptual_hash, thumbnail
from linne.pixels.prepare import normalise, pixels_of
from linne.records.content import Content
from linne.records.errors import ImageError
from linne.records.fingerprint import of_bytes
from linne.records.pixel_spec import DECODING, PixelSpec

LOOKS = 2
"""Version of the thumbnail and the hash; to be raised when either changes, since the store keeps them."""

LOOKS_SHELF = f"facts-{DECODING}-{LOOKS}"
"""Folder name for what images look like."""

LONGEST_REASON = 200


@dataclass(frozen=True)
class Looks:
    """One image: its digest, and what the store lacks of it.

    Attributes
    ----------
    digest : bytes
        Of the file's content; empty where it could not be read.
    facts : dict, optional
        Perceptual hash and thumbnail.
    pixels : (channels, height, width) float32 array, optional
        For the network.
    failure : str
        Why the file cannot be read or decoded. Never stored: another try, with another decoder, may do.
    """

    digest: bytes
    facts: dict[str, Any] | None = None
    pixels: NDArray[np.float32] | None = None
    failure: str = ""


def look_at(content: Content, spec: PixelSpec | None, looked_at: set[bytes], embedded: set[bytes]) -> Looks:
    """Read one image and do what the store does not hold yet; runs in a thread.

    Parameters
    ----------
    content : Content
    spec : PixelSpec, optional
        Without it no pixels are wanted.
    looked_at, embedded : set of bytes
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
    try:
        picture = decode(read, 3)
    except ImageError as error:
        return Looks(digest, failure=_reason(error))
    facts = None if digest in looked_at else _facts_of(picture)
    pixels = None
    if spec is not None and wants_pixels:
        pixels = normalise(pixels_of(picture if spec.channels == 3 else picture.convert("L"), spec), spec)
    return Looks(digest, facts, pixels)


def _reason(error: ImageError) -> str:
    text = error.problem if error.value is None else f"{error.problem}: {error.value}"
    return text[:LONGEST_REASON].rstrip("\0")


def _facts_of(picture: Image.Image) -> dict[str, Any]:
    return {"hash": perceptual_hash(picture), "thumb": thumbnail(picture)}
