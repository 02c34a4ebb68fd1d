"""Image files for tests: pictures of a kind, written as real files."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

Array = np.ndarray


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> Array:
    """Random intensities, uint8: ``(height, width, channels)``, or ``(height, width)`` for one channel."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return values[..., 0] if channels == 1 else values


def scene(height: int, width: int, seed: int = 0) -> Array:
    """Smooth random blobs in colour, as a photo has: ``(height, width, 3)`` uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def encode(picture: Image.Image | Array, kind: str, **options: object) -> bytes:
    """An image file's bytes; arrays become the picture that Pillow makes of them."""
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, kind, **options)
    return file.getvalue()


def turned(picture: Array, orientation: int, kind: str) -> bytes:
    """A file that stores `picture` as it is, and says in EXIF how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(picture, kind, exif=exif)


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes) -> bytes:
    """A PNG written by hand: header, one data chunk of unfiltered `rows`, end."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes whose header speaks of a huge picture."""
    return png(width, height, 8, 2, b"\0" * 100)


def png_of_16_bit_colours(values: Array) -> bytes:
    """``(height, width, 3)`` uint16 as PNG, which Pillow cannot write."""
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(width, height, 16, 2, rows)


def place(path: Path, content: bytes | None = None, seed: int = 0) -> Path:
    """Write a file and the folders above it; by default a small picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(noise(8, 8, seed=seed), "PNG") if content is None else content)
    return path


def class_folders(root: Path, counts: dict[str, int]) -> Path:
    """A folder for each class, with that many pictures, no two alike."""
    seed = 0
    for name, count in counts.items():
        for number in range(count):
            place(root / name / f"{number}.png", seed=seed)
            seed += 1
    return root
