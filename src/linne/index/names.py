"""Which names count: images, things to pass over, subsets, and the order of classes."""

from __future__ import annotations

import re

IMAGE_SUFFIXES = frozenset(
    "jpg jpeg jpe jfif png webp gif bmp dib tif tiff ppm pgm pbm pnm jp2 j2k avif ico tga".split()  # noqa: SIM905
)

SUBSET_NAMES = {"train": "train", "training": "train", "validation": "validation", "valid": "validation"}
SUBSET_NAMES |= {"val": "validation", "test": "test", "testing": "test"}

DEBRIS = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir"})
"""What operating systems leave in folders; passed over without a word, like hidden files."""


def is_debris(name: str) -> bool:
    """Whether a file or folder is hidden, or left by an operating system."""
    return name[:1] == "." or name.lower() in DEBRIS


def is_utf8(name: str) -> bool:
    """Whether a name read from the file system is valid UTF-8."""
    return name.isascii() or not any("\ud800" <= c <= "\udfff" for c in name)


def has_image_suffix(name: str) -> bool:
    """Whether a file's name says that it is an image."""
    _, dot, suffix = name.rpartition(".")
    return dot != "" and suffix.lower() in IMAGE_SUFFIXES


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts "2" before "10" and ignores case; equal only for equal names.

    Digits are compared as numbers, the rest as text without case; the name itself decides ties ("a", "A").
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return (*map(_key_of_part, parts), (-1, 0, name))


def _key_of_part(part: str) -> tuple[int, int, str]:
    if part[0] not in "0123456789":
        return 1, 0, part.casefold()
    digits = part.lstrip("0")  # compared by length first: int() refuses text of thousands of digits
    return 0, len(digits), digits


def subset_in_name(path: str) -> str | None:
    """Say which subset the name of a shard speaks of: ``train-00000-of-00002.parquet``, ``val/0001.tar``."""
    words = re.split(r"[^a-z]+", path.lower())
    return next((SUBSET_NAMES[word] for word in words if word in SUBSET_NAMES), None)
