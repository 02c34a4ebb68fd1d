"""Near copies as people make them, and what an audit sees of pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from images import encode
from PIL import Image, ImageEnhance

from linne.audit.compared import Known
from linne.audit.duplicates import find_pairs
from linne.audit.pairs import Pairs
from linne.audit.pictures import Pictures
from linne.pixels.decode import decode
from linne.pixels.perceptual import perceptual_hash, thumbnail
from linne.records.fingerprint import of_bytes
from linne.records.progress import Silent


def recompressed(picture: Image.Image) -> bytes:
    return encode(picture, "JPEG", quality=40)


def shrunk(picture: Image.Image) -> bytes:
    return encode(picture.resize([max(1, round(0.6 * side)) for side in picture.size]), "PNG", compress_level=1)


def cropped(picture: Image.Image) -> bytes:
    """3% of each side cut off around the centre."""
    x, y = (max(1, round(0.015 * side)) for side in picture.size)
    return encode(picture.crop((x, y, picture.width - x, picture.height - y)), "PNG", compress_level=1)


def brighter(picture: Image.Image) -> bytes:
    return encode(ImageEnhance.Brightness(picture).enhance(1.1), "PNG", compress_level=1)


def darker(picture: Image.Image) -> bytes:
    return encode(ImageEnhance.Brightness(picture).enhance(0.9), "PNG", compress_level=1)


def pairs_among(files: Sequence[bytes]) -> Pairs:
    """What `find_pairs` says of these files, all of which can be read."""
    pictures = [decode(content, 3) for content in files]
    return find_pairs(
        Pictures(
            np.array([np.frombuffer(of_bytes(content), np.uint8) for content in files]).reshape(-1, 16),
            np.array([perceptual_hash(picture) for picture in pictures], np.uint64),
            np.array([thumbnail(picture) for picture in pictures], np.uint8).reshape(-1, 16, 16),
            np.array([thumbnail(picture, 32) for picture in pictures], np.uint8).reshape(-1, 32, 32),
            None,
            np.ones(len(files), bool),
        ),
        Known.nothing(len(files)),
        2,
        Silent(),
    )


def as_set(pairs: Pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def digit_pictures(number: int) -> list[Image.Image]:
    """Scanned digits of 8 x 8 pixels, each pixel four times as wide and high."""
    from sklearn.datasets import load_digits

    scans = np.rint(load_digits().images[:number] * (255 / 16)).astype(np.uint8)
    return [Image.fromarray(np.kron(scan, np.ones((4, 4), np.uint8))) for scan in scans]
