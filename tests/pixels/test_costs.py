"""Files of a few bytes that ask for gigabytes or hours are refused at once, and those like them that do not are not."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from images import bmp, encode, noise, scene, tiff, turned
from PIL import Image

from linne.pixels.costs import MOST_BLOCKS, MOST_EXIF, MOST_SCANNED
from linne.pixels.decode import decode
from linne.pixels.shrunk import Undecoded
from linne.records.errors import ImageError

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\.")  # pytest undoes the filter of decode.py


def assert_refused(content: bytes, why: str) -> None:
    for channels in (1, 3):
        with pytest.raises(ImageError, match="is damaged") as refused:
            decode(content, channels)
        assert why in str(refused.value)
        with pytest.raises(ImageError, match="is damaged"):
            Undecoded(content, channels).pixels(8)


def progressive(width: int, height: int, scans: int) -> bytes:
    """A JPEG that repeats its last scan."""
    content = bytearray(encode(Image.new("L", (64, 64), 77), "JPEG", progressive=True))
    struct.pack_into(">HH", content, content.index(b"\xff\xc2") + 5, height, width)
    last = content[content.rindex(b"\xff\xda") : -2]
    return bytes(content[:-2] + last * scans + b"\xff\xd9")


@pytest.mark.parametrize("before", [b"", b"\xff\xe1\0\x0aExif\0\0ab"])
def test_scans_of_a_jpeg(before: bytes) -> None:
    scans = MOST_SCANNED // 13_000**2
    assert scans > 1000
    content = progressive(13_000, 13_000, scans)
    assert_refused(content[:2] + before + content[2:], "too many scans")
    assert decode(progressive(64, 64, scans), 3).size == (64, 64)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


TURNED = turned(scene(20, 30), 6, "JPEG")
START, REST = TURNED[:2], TURNED[TURNED.index(b"\xff\xe1") :]
EMPTY_EXIF = segment(0xE1, b"Exif\0\0")


@pytest.mark.parametrize(
    "before",
    [
        b"",
        segment(0xFE, b"a comment") * 200,
        b"neither a marker nor a length",
        b"\xff\xff",  # filled up
        b"\xff\xd0\xff\xff",  # no length follows
        b"\xff\xe0\0\0",  # a length that leaves out itself
        b"\xff\xe0\0\1",
    ],
)
def test_segments_of_exif(before: bytes) -> None:
    jfif = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    few = START + jfif + before + EMPTY_EXIF * (MOST_EXIF - 1) + REST
    assert decode(few, 3).tobytes() == decode(TURNED, 3).tobytes()
    assert Undecoded(few, 3).pixels().shape == (30, 20, 3)
    assert_refused(START + jfif + before + EMPTY_EXIF * MOST_EXIF + REST, "too many segments of EXIF")


@pytest.mark.parametrize("marker", [0x00, 0xC8, *range(0xD0, 0xD9), *range(0xF0, 0xFE)])
def test_segments_of_exif_that_look_like_the_inside_of_another(marker: int) -> None:
    """Pillow knows no length of these, and reads on right behind them."""
    hidden = EMPTY_EXIF * MOST_EXIF
    content = START + b"\xff\xe0\0\2" + struct.pack(">BBH", 0xFF, marker, 2 + len(hidden)) + hidden + REST
    assert_refused(content, "too many segments of EXIF")


def test_a_photo_with_all_the_metadata_that_there_is() -> None:
    """The largest colour profile, long XMP, previews of a camera, a thumbnail's own EXIF."""
    profile = b"".join(segment(0xE2, b"ICC_PROFILE\0" + bytes([part + 1, 255]) + bytes(60_000)) for part in range(255))
    note = b"http://ns.adobe.com/xmp/extension/\0" + b"a" * 32 + struct.pack(">II", 60 * 60_000, 0) + b"Exif\0\0"
    metadata = profile + segment(0xE1, note + bytes(60_000)) * 60 + segment(0xE2, b"MPF\0" + bytes(100)) + EMPTY_EXIF
    at = TURNED.index(b"\xff\xdb")
    content = TURNED[:at] + metadata + TURNED[at:]
    for channels in (1, 3):
        assert decode(content, channels).size == (20, 30)
        assert np.array_equal(Undecoded(content, channels).pixels(), Undecoded(TURNED, channels).pixels())


def strips(rows: int, count: int, picture_rows: int = 32) -> bytes:
    """A TIFF in so many strips of that many rows, all of which lie in one place."""
    tags = {256: 16, 257: picture_rows, 258: 8, 259: 1, 262: 1, 278: rows}
    return tiff([noise(rows, 16, 1).tobytes()] * count, tags, (273, 279))


def test_strips_that_cover_a_tiff_once() -> None:
    assert decode(strips(32, 1), 3).size == (16, 32)
    assert decode(strips(8, 4), 3).size == (16, 32)
    assert decode(strips(20, 2), 3).size == (16, 32)
    for missing in (1, 3):
        assert_refused(strips(8, missing), "do not make up the picture")
    assert_refused(strips(31, 1000), "do not make up the picture")


@pytest.mark.parametrize("planes", [1, 2, 3])
def test_planes_of_a_tiff(planes: int) -> None:
    tags = {256: 16, 257: 16, 258: 8, 259: 1, 262: 2, 277: 3, 278: 16, 284: 2}
    content = tiff([noise(16, 16, 1, seed).tobytes() for seed in range(planes)], tags, (273, 279))
    if planes == 3:
        assert decode(content, 3).size == (16, 16)
    else:
        assert_refused(content, "do not make up the picture")


def test_tile_of_a_tiff_that_is_larger_than_any_picture() -> None:
    def tiled(width: int, height: int) -> bytes:
        tags = {256: 32, 257: 32, 258: 8, 259: 8, 262: 1, 322: width, 323: height}
        return tiff([zlib.compress(noise(64, 64, 1).tobytes())], tags, (324, 325))

    assert decode(tiled(64, 64), 3).size == (32, 32)
    assert_refused(tiled(16, 0x7FFFFF0), "too large a tile")


def jpeg2000(side: int, precinct: int | None = None, **options: object) -> bytes:
    """One that claims to be larger than it is; `precinct` is the binary logarithm of a side."""
    options = {"no_jp2": True, "num_resolutions": 1, **options}
    content = bytearray(encode(Image.new("L", (64, 64)), "JPEG2000", **options))
    for place in (8, 12, 24, 28):  # the sides of the picture and of its only tile
        struct.pack_into(">I", content, place, side)
    if precinct is not None:
        coding = content.index(b"\xff\x52\0\x0c")
        content[coding + 3] += 1
        content[coding + 4] |= 1
        content.insert(coding + 14, precinct * 17)
    return bytes(content)


def test_blocks_of_a_jpeg2000() -> None:
    assert decode(jpeg2000(64), 3).size == (64, 64)
    assert decode(jpeg2000(64, codeblock_size=(4, 4)), 3).size == (64, 64)
    assert decode(jpeg2000(64, precinct=5), 3).size == (64, 64)
    side = int((16 * MOST_BLOCKS) ** 0.5) + 100
    assert_refused(jpeg2000(side, codeblock_size=(4, 4)), "too small blocks")
    assert_refused(jpeg2000(1100, precinct=0), "too small blocks")


def test_blocks_that_one_component_of_a_jpeg2000_has() -> None:
    content = jpeg2000(1100)
    own = b"\xff\x53" + struct.pack(">HBB5BB", 10, 0, 1, 0, 4, 4, 0, 1, 0)
    tile = content.index(b"\xff\x90")
    assert_refused(content[:tile] + own + content[tile:], "too small blocks")


def test_components_of_a_jpeg2000_that_its_header_hides() -> None:
    content = bytearray(encode(scene(32, 32), "JPEG2000"))
    box = content.index(b"jp2c") - 4
    content[box:box] = struct.pack(">I4s", 8, b"free")  # Pillow does not look behind it
    assert decode(bytes(content), 3).size == (32, 32)
    size = content.index(b"\xff\x4f\xff\x51")
    (length,) = struct.unpack_from(">H", content, size + 4)
    many = struct.pack(">H", 38 + 3 * 1000) + content[size + 6 : size + 40] + struct.pack(">H", 1000) + b"\7\1\1" * 1000
    assert_refused(bytes(content[: size + 4] + many + content[size + 4 + length :]), "too many components")


def test_a_bmp_in_runs_has_some_for_all_its_pixels() -> None:
    palette = bytes(range(256)) * 4
    row = b"\xff\1" * 8 + b"\0\0"
    assert decode(bmp(2040, 16, 8, 1, palette + row * 16 + b"\0\1"), 3).size == (2040, 16)
    assert_refused(bmp(170_000_000, 1, 8, 1, palette + row + b"\0\1"), "too few runs")
