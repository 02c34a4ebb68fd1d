"""Which names count: images, things to pass over, subsets, and the order of classes."""

from __future__ import annotations

import re

IMAGE_SUFFIXES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".jp2",
        ".j2k",
        ".avif",
        ".ico",
        ".tga",
    }
)

SUBSET_NAMES = {"train": "train", "training": "train", "validation": "validation", "valid": "validation"}
SUBSET_NAMES |= {"val": "validation", "test": "test", "testing": "test"}

DEBRIS = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir"})
"""What operating systems leave in folders; passed over without a word, like hidden files."""


def is_debris(name: str) -> bool:
    """Whether a file or folder is hidden, or left by an operating system."""
    return name.startswith(".") or name.lower() in DEBRIS


def is_utf8(name: str) -> bool:
    """Whether a name read from the file system is valid UTF-8."""
    return not any("\udc80" <= c <= "\udcff" for c in name)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts "2" before "10" and ignores case; equal only for equal names.

    Digits are compared as numbers, the rest as text without case; the name itself decides ties ("a", "A").
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    key = tuple((0, int(part), "") if part[0] in "0123456789" else (1, 0, part.casefold()) for part in parts)
    return (*key, (-1, 0, name))
