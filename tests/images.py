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


def bmp(width: int, height: int, bits: int, compression: int, after: bytes) -> bytes:
    """A header of 40 bytes, and after it masks or a palette, and pixels."""
    start = 54 + (4 << bits if bits <= 8 else 12)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(after), 0, 0, start) + header + after


def tiff(pieces: list[bytes], tags: dict[int, int], tags_of_pieces: tuple[int, int]) -> bytes:
    """One directory, first its lists of where the pieces lie and how long they are, then the pieces."""
    after = 8 + 2 + 12 * (len(tags) + 2) + 4
    starts = [after + 8 * len(pieces) + sum(map(len, pieces[:number])) for number in range(len(pieces))]
    entries = [(tag, 4, 1, value) for tag, value in tags.items()]
    for tag, values in zip(tags_of_pieces, (starts, [len(piece) for piece in pieces]), strict=True):
        listed = after + 4 * len(pieces) * (tag == tags_of_pieces[1])
        entries.append((tag, 4, len(pieces), values[0] if len(pieces) == 1 else listed))
    directory = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    lists = struct.pack(f"<{2 * len(pieces)}I", *starts, *map(len, pieces))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + directory + bytes(4) + lists + b"".join(pieces)


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
