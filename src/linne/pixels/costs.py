"""What a file costs to decode, where the size of its picture does not tell: out of all proportion, it is refused.

A few bytes can ask some readers for gigabytes, or for hours. No file that is meant to be looked at does.
"""

from __future__ import annotations

import re

from PIL import ImageFile
from PIL.TiffImagePlugin import PLANAR_CONFIGURATION, TILELENGTH, TILEWIDTH, TiffImageFile

MOST_SCANNED = 180_000_000_000
"""Scans of a JPEG times its pixels: a thousand over the largest picture take ten seconds."""

LARGEST_TILE = 4096 * 4096
"""Pixels, in a TIFF that is smaller; libtiff takes the memory for one before it reads any."""

MOST_LAYERS = 8
"""How often the pieces of a TIFF may cover it: once, or once for each channel."""

MOST_BLOCKS = 1 << 20
"""Of a JPEG 2000 picture, with up to two kilobytes of state each. In blocks of 64 x 64, the largest has 130,000."""

MOST_COMPONENTS = 4

MOST_EXIF = 100
"""Segments of EXIF in a JPEG, of up to 64 kilobytes each. Pillow joins them, and copies all the former for each."""

PIXELS_IN_A_BYTE = 128
"""Of a BMP in runs: two bytes hold 255. Pillow fills in what is missing, one by one in Python."""

_RUNS = (1, 2)
_SCAN = re.compile(rb"\xff\xda")  # counts three times as fast as bytes do
_SHORTEST_SCAN = 10

_START_OF_SCAN = 0xDA
_SEGMENTS = frozenset(range(0xC0, 0xF0)) - {0xC8, *range(0xD0, 0xDA)} | {0xFE}
"""Markers that a length follows, for Pillow too."""

_COMPONENTS = re.compile(rb"(?=\xff\x4f\xff\x51.{36}(..))", re.DOTALL)
_CODING = re.compile(
    rb"(?=\xff(?:\x52\0.(?P<default>.).{4}|\x53\0..(?P<component>.))"  # of all components, of one
    rb"(?P<levels>[\0-\x20])(?P<width>[\0-\x08])(?P<height>[\0-\x08]).[\0\x01](?P<precincts>.{0,33}))",
    re.DOTALL,
)


def check_costs(picture: ImageFile.ImageFile, content: bytes) -> None:
    """Raise ValueError where a file whose header was read should not be decoded."""
    pixels = picture.width * picture.height
    if isinstance(picture, TiffImageFile):
        _check_pieces(picture, pixels)
    elif picture.format in ("JPEG", "MPO"):
        if has_endless_scans(content, pixels):
            raise ValueError("too many scans")
    elif picture.format == "JPEG2000":
        _check_blocks(content, pixels * len(picture.getbands()))
    elif picture.format in ("BMP", "DIB"):
        _check_runs(picture, content, pixels)


def has_endless_scans(content: bytes, pixels: int) -> bool:
    """Tell whether a JPEG goes over its pixels again and again: a few bytes suffice for each time."""
    most = MOST_SCANNED // max(1, pixels)
    return len(content) > _SHORTEST_SCAN * most and len(_SCAN.findall(content)) > most


def has_endless_exif(content: bytes) -> bool:
    """Tell whether a JPEG has its EXIF in more pieces than any camera writes, which takes long even to open.

    Headers of photos are walked through in some microseconds; where there is anything odd, all of the file is searched.
    """
    if not content.startswith(b"\xff\xd8\xff") or header_end(content) < len(content):
        return False
    return content.count(b"Exif\0\0") > MOST_EXIF


def header_end(content: bytes) -> int:
    """Where the first scan of a JPEG begins; the end of the file where there is anything odd, or much, before it."""
    at = 2
    for _ in range(MOST_EXIF):
        head = content[at : at + 4]
        if len(head) < 4 or head[0] != 0xFF or head[1] not in _SEGMENTS:
            break
        if head[1] == _START_OF_SCAN:
            return at
        at += 2 + int.from_bytes(head[2:])
    return len(content)


def _check_pieces(picture: TiffImageFile, pixels: int) -> None:
    width, length = picture.tag_v2.get(TILEWIDTH, 1), picture.tag_v2.get(TILELENGTH, 1)
    if width * length > max(LARGEST_TILE, 2 * pixels):  # sides are rounded up
        raise ValueError("too large a tile")
    if picture.tile[0].codec_name == "libtiff":  # it looks for what is missing, and reads nothing twice
        return
    layers = len(picture.getbands()) if picture.tag_v2.get(PLANAR_CONFIGURATION) == 2 else 1
    sides = [tile.extents or (0, 0, 0, 0) for tile in picture.tile]
    covered = sum((right - left) * (bottom - top) for left, top, right, bottom in sides)
    if not layers * pixels <= covered <= MOST_LAYERS * pixels:
        raise ValueError("strips or tiles that do not make up the picture")


def _check_runs(picture: ImageFile.ImageFile, content: bytes, pixels: int) -> None:
    if picture.info.get("compression") in _RUNS and pixels > PIXELS_IN_A_BYTE * len(content):
        raise ValueError("too few runs for its size")


def _check_blocks(content: bytes, values: int) -> None:
    """Count what JPEG 2000 cuts its components into; headers can lie anywhere, and look like nothing else."""
    if any(int.from_bytes(found[1]) > MOST_COMPONENTS for found in _COMPONENTS.finditer(content)):
        raise ValueError("too many components")
    for found in _CODING.finditer(content):
        levels = found["levels"][0]
        blocks = values >> (found["width"][0] + found["height"][0] + 4)
        if (found["default"] or found["component"])[0] & 1:
            for level, sides in enumerate(found["precincts"][: levels + 1]):
                blocks += values >> (2 * (levels - level) + (sides & 15) + (sides >> 4))
        if blocks > MOST_BLOCKS:
            raise ValueError("too small blocks")
