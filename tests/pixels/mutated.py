"""Damaged image files of every format: small true files, and what can happen to them.

A file is named by its number alone: `mutated` gives the same bytes for the same number, so that a file that does harm
can be made again.
"""

from __future__ import annotations

import functools
import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator

from images import bmp, encode, noise, png_of_16_bit_colours, scene, tiff
from PIL import Image

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO", "TGA")

Bytes = bytes | bytearray


# True files


@functools.cache
def seeds(kind: str) -> tuple[bytes, ...]:
    """Small true files of a format, of all the sorts that its reader has code for."""
    return tuple(_SEEDS[kind]())


def _picture(mode: str, width: int = 40, height: int = 32) -> Image.Image:
    colours = Image.fromarray(scene(height, width))
    if mode == "RGBA":
        return Image.fromarray(noise(height, width, 4))
    if mode == "LA":
        return Image.fromarray(noise(height, width, 2))
    if mode == "I;16":
        return colours.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    return colours.convert(mode)


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation
    exif[0x010F] = "a maker"
    exif[0x011A] = 72.0  # resolution
    exif[0x8769] = {0x9003: "2020:01:01 00:00:00", 0x829A: 0.01}  # one more directory
    exif[0x8825] = {2: (1.0, 2.0, 3.0)}
    return exif.tobytes()


def _several(kind: str, **options: object) -> bytes:
    first, *others = (Image.fromarray(scene(24, 24, seed)) for seed in range(3))
    return encode(first, kind, save_all=True, append_images=others, **options)


def _jpegs() -> Iterator[bytes]:
    for mode in ("L", "RGB", "CMYK", "YCbCr"):
        yield encode(_picture(mode), "JPEG")
    yield encode(_picture("RGB"), "JPEG", progressive=True)
    yield encode(_picture("RGB"), "JPEG", subsampling=0, exif=_exif(), dpi=(72, 72), comment=b"a comment")
    yield encode(_picture("RGB"), "JPEG", exif=_exif(), icc_profile=b"profile" * 20, progressive=True)
    yield encode(_picture("RGB", 64, 48), "JPEG", restart_marker_rows=1, xmp=b'<x tiff:Orientation="3"/>')
    yield _several("MPO")


def _pngs() -> Iterator[bytes]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        yield encode(_picture(mode), "PNG")
    yield encode(_picture("P"), "PNG", transparency=3)
    yield encode(_picture("RGB"), "PNG", exif=_exif(), icc_profile=b"profile" * 20, dpi=(72, 72))
    yield png_of_16_bit_colours(noise(16, 16).astype("u2") * 257)
    yield _several("PNG")
    yield from (_interlaced(depth, colours) for depth, colours in ((1, 0), (8, 0), (8, 2), (16, 0), (8, 6)))


def _interlaced(depth: int, colour_type: int, side: int = 16) -> bytes:
    """Adam's seven passes, which Pillow cannot write."""
    bits = depth * {0: 1, 2: 3, 6: 4}[colour_type]
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b""
    for left, top, across, down in passes:
        columns = len(range(left, side, across))
        rows += (b"\0" + random.Random(left).randbytes((columns * bits + 7) // 8)) * len(range(top, side, down))
    header = struct.pack(">IIBBBBB", side, side, depth, colour_type, 0, 0, 1)
    return _PNG + b"".join(
        _png_chunk(kind, content)
        for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def _webps() -> Iterator[bytes]:
    for mode in ("RGB", "RGBA"):
        yield encode(_picture(mode), "WEBP")
        yield encode(_picture(mode), "WEBP", lossless=True)
    yield encode(_picture("RGB"), "WEBP", exif=_exif(), icc_profile=b"profile" * 20, xmp=b"<x/>")
    yield _several("WEBP")
    yield _several("WEBP", lossless=True)


def _gifs() -> Iterator[bytes]:
    for mode in ("1", "L", "P"):
        yield encode(_picture(mode), "GIF")
    yield encode(_picture("P"), "GIF", transparency=3, comment=b"a comment", interlace=False)
    yield _several("GIF", disposal=2, duration=20, loop=0)


def _bmps() -> Iterator[bytes]:
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield encode(_picture(mode), "BMP")
    # What Pillow reads and cannot write: runs, of 8 and 4 bits; the oldest header; masks of colours.
    palette = bytes(range(256)) * 4
    runs = (b"\x0a\1" + b"\0\4\1\2\3\4" + b"\2\7" + b"\0\0") * 14 + b"\0\2\0\1" + b"\x10\5" + b"\0\1"
    yield bmp(16, 16, 8, 1, palette + runs)
    yield bmp(16, 16, 4, 2, palette[:64] + runs.replace(b"\1\2\3\4", b"\x12\x34"))
    yield bmp(16, 16, 16, 3, struct.pack("<3I", 0xF800, 0x7E0, 0x1F) + noise(16, 16, 2).tobytes())
    core = struct.pack("<IHHHH", 12, 16, 16, 1, 24) + noise(16, 16).tobytes()
    yield b"BM" + struct.pack("<IHHI", 14 + len(core), 0, 0, 26) + core


def _dibs() -> Iterator[bytes]:
    yield from (content[14:] for content in _bmps())


def _tiffs() -> Iterator[bytes]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F", "I;16"):
        yield encode(_picture(mode), "TIFF")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "lzma", "zstd"):
        yield encode(_picture("RGB"), "TIFF", compression=compression)
    for compression in ("group3", "group4", "tiff_ccitt"):
        yield encode(_picture("1"), "TIFF", compression=compression)
    for compression, written in ((1, bytes), (8, zlib.compress)):  # tiles and planes, which Pillow cannot write
        pieces = [written(noise(16, 16, 1, seed).tobytes()) for seed in range(4)]
        yield tiff(pieces, {256: 32, 257: 32, 258: 8, 259: compression, 262: 1, 322: 16, 323: 16}, (324, 325))
        planes = {256: 16, 257: 16, 258: 8, 259: compression, 262: 2, 277: 3, 278: 16, 284: 2}
        yield tiff(pieces[:3], planes, (273, 279))
    yield encode(_picture("RGB"), "TIFF", tiffinfo={278: 4}, strip_size=480)
    yield encode(_picture("RGB"), "TIFF", exif=_exif(), icc_profile=b"profile" * 20)
    yield encode(_picture("I;16B"), "TIFF")
    yield encode(_picture("RGB"), "TIFF", big_tiff=True)
    yield _several("TIFF")
    yield _several("TIFF", compression="tiff_lzw")


def _ppms() -> Iterator[bytes]:
    for mode in ("1", "L", "RGB", "I", "F"):
        yield encode(_picture(mode), "PPM")
    values = noise(16, 16).reshape(-1)
    numbers = b" ".join(b"%d" % value for value in values)
    yield b"P3\n# a comment\n16 16\n255\n" + numbers
    yield b"P2\n16 48\n1000\n" + numbers
    yield b"P1\n16 16\n" + b" ".join(b"%d" % (value % 2) for value in values[:256])
    yield b"P6 16 16 100\n" + (values % 100).tobytes()


def _jpeg2000s() -> Iterator[bytes]:
    for mode in ("L", "LA", "RGB", "RGBA", "I;16"):
        yield encode(_picture(mode), "JPEG2000")
    yield encode(_picture("RGB"), "JPEG2000", no_jp2=True)
    yield encode(_picture("RGB"), "JPEG2000", irreversible=True, quality_layers=[40, 20], comment="a comment")
    yield encode(_picture("RGB"), "JPEG2000", tile_size=(16, 16), num_resolutions=2, progression="RPCL")
    yield encode(_picture("RGB"), "JPEG2000", codeblock_size=(16, 16), precinct_size=(32, 32))


def _avifs() -> Iterator[bytes]:
    yield encode(_picture("L", 24, 16), "AVIF", max_threads=1)
    yield encode(_picture("RGB", 32, 24), "AVIF", exif=_exif(), icc_profile=b"profile" * 20, max_threads=1)
    yield encode(_picture("RGBA", 16, 16), "AVIF", max_threads=1)
    yield _several("AVIF", max_threads=1)


def _icos() -> Iterator[bytes]:
    yield encode(_picture("RGB", 32, 32), "ICO", sizes=[(16, 16)])
    yield encode(_picture("RGBA", 32, 32), "ICO", sizes=[(16, 16), (24, 24)])
    for mode in ("P", "RGB", "RGBA"):
        yield encode(_picture(mode, 32, 32), "ICO", sizes=[(16, 16), (32, 32)], bitmap_format="bmp")


def _tgas() -> Iterator[bytes]:
    for mode in ("L", "LA", "P", "RGB", "RGBA", "1"):
        yield encode(_picture(mode), "TGA")
    for mode in ("L", "P", "RGB", "RGBA"):
        yield encode(_picture(mode), "TGA", compression="tga_rle", orientation=1, id_section=b"a name")


_SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "JPEG": _jpegs,
    "PNG": _pngs,
    "WEBP": _webps,
    "GIF": _gifs,
    "BMP": _bmps,
    "DIB": _dibs,
    "TIFF": _tiffs,
    "PPM": _ppms,
    "JPEG2000": _jpeg2000s,
    "AVIF": _avifs,
    "ICO": _icos,
    "TGA": _tgas,
}


# What can happen to them


def mutated(number: int) -> tuple[str, bytes]:
    """The format and the bytes of a damaged file."""
    chance = random.Random(number)
    kind = KINDS[number % len(KINDS)]
    content = bytearray(chance.choice(seeds(kind)))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        if content:
            content = bytearray(chance.choice(_MUTATIONS)(content, kind, chance))
    if chance.random() < 0.8:  # else every other change to a PNG would only show that sums are checked
        _mend_sums(content)
    return kind, bytes(content)


def _flip_bits(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    for _ in range(chance.choice((1, 1, 2, 8))):
        content[_place(content, chance)] ^= 1 << chance.randrange(8)
    return content


def _overwrite(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    at, length = _place(content, chance), chance.choice((1, 1, 1, 2, 4, 16))
    wrong = chance.choice((bytes(length), b"\xff" * length, chance.randbytes(length)))
    content[at : at + length] = wrong[: len(content) - at]
    return content


def _cut_short(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    return content[: chance.choice((_place(content, chance), len(content) - chance.randrange(min(20, len(content)))))]


def _insert(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    at, length = _place(content, chance), chance.choice((1, 2, 4, 100))
    return content[:at] + chance.choice((bytes(length), chance.randbytes(length))) + content[at:]


def _delete(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    at = _place(content, chance)
    return content[:at] + content[at + chance.choice((1, 2, 4, 100)) :]


def _shuffle_pieces(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    """Double a piece, swap two, or leave one out."""
    pieces = _pieces(content, kind, chance)
    one, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    what = chance.randrange(3)
    if what == 0:
        pieces.insert(other, pieces[one])
    elif what == 1:
        pieces[one], pieces[other] = pieces[other], pieces[one]
    else:
        del pieces[one]
    return b"".join(pieces)


def _splice(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    """Begin as one file and end as another of the format."""
    other = chance.choice(seeds(kind))
    if chance.random() < 0.5:
        return content[: _place(content, chance)] + other[_place(other, chance) :]
    some, more = _pieces(content, kind, chance), _pieces(other, kind, chance)
    return b"".join(some[: chance.randrange(len(some) + 1)] + more[chance.randrange(len(more)) :])


def _join(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    return content + chance.choice(seeds(chance.choice((kind, "JPEG", "PNG"))))


def _claim(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    """Write numbers of all sizes where the header holds width, height and counts."""
    if kind == "PPM":
        several = chance.randrange(1, 4)
        return re.sub(rb"(?<!P)\d+", lambda _: b"%d" % chance.choice(_NUMBERS), content, count=several)
    fields = [
        (found.start() + offset, form)
        for pattern, form, offsets in _FIELDS[kind]
        for found in re.finditer(pattern, content, re.DOTALL)
        for offset in offsets
        if 0 <= found.start() + offset <= len(content) - struct.calcsize(form)
    ]
    for at, form in chance.sample(fields, min(len(fields), chance.choice((1, 1, 2, 3)))):
        value = chance.choice(_NUMBERS) & (256 ** struct.calcsize(form) - 1)
        struct.pack_into(form, content, at, value)
    return content


def _spoil_metadata(content: bytearray, kind: str, chance: random.Random) -> Bytes:
    """Change bytes of a directory of EXIF, which is one of TIFF."""
    starts = [found.start() for found in re.finditer(rb"II\*\0|MM\0\*|II\+\0|Exif\0\0", content)]
    start = chance.choice(starts or [0])
    for _ in range(chance.choice((1, 2, 4))):
        at = chance.randrange(start, min(start + 250, len(content)))
        content[at] = chance.choice((0, 1, 2, 127, 255, chance.randrange(256)))
    return content


_MUTATIONS = (
    _flip_bits,
    _overwrite,
    _cut_short,
    _insert,
    _delete,
    _shuffle_pieces,
    _splice,
    _join,
    _claim,
    _claim,
    _spoil_metadata,
)

_NUMBERS = (
    *(0, 1, 2, 3, 8, 255, 256, 257, 1000, 3000, 8191, 20_000, 0x7FFF, 0x8000, 0xFFFF),
    *(0x10000, 0xFFFFFF, 0x1000000, 0x10000001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF),
)

_FIELDS: dict[str, list[tuple[bytes, str, tuple[int, ...]]]] = {
    "JPEG": [(rb"\xff[\xc0-\xc2]\0.\x08", ">H", (5, 7)), (rb"\xff[\xc0-\xfe]", ">H", (2,))],
    "PNG": [(rb"IHDR", ">I", (-4, 4, 8)), (rb"fcTL", ">I", (8, 12, 16, 20)), (rb"[A-Z]{4}", ">I", (-4,))],
    "WEBP": [
        (rb"VP8X", "<H", (12, 15)),
        (rb"VP8 ", "<H", (14, 16)),
        (rb"VP8L", "<I", (9,)),
        (rb"ANMF", "<H", (8, 11, 14, 17)),
        (rb"[A-Z]{3}[A-Z ]", "<I", (4,)),
    ],
    "GIF": [(rb"^GIF", "<H", (6, 8)), (rb",\0\0\0\0", "<H", (1, 3, 5, 7))],
    "BMP": [(rb"^BM", "<I", (10, 14, 18, 22, 30, 46)), (rb"^BM", "<H", (18, 20, 28))],
    "DIB": [(rb"^", "<I", (0, 4, 8, 16, 32)), (rb"^", "<H", (4, 6, 14))],
    "TIFF": [
        (rb".\x01[\x01-\x05]\0", "<I", (4, 8)),  # any entry
        (rb"[\0\x01\x42\x43]\x01[\x03\x04]\0", "<I", (8,)),  # the sides of the picture and of tiles
    ],
    "JPEG2000": [
        (rb"ihdr", ">I", (4, 8)),
        (rb"ihdr", ">H", (12,)),
        (rb"\xff\x4f\xff\x51", ">I", tuple(range(8, 40, 4))),
        (rb"\xff\x4f\xff\x51", ">H", (4, 40)),
        (rb"[a-z]{4}", ">I", (-4,)),
    ],
    "AVIF": [(rb"ispe", ">I", (8, 12)), (rb"[a-z]{4}", ">I", (-4,))],
    "ICO": [
        (rb"^\0\0\x01\0", "<H", (4, 6)),
        (rb"^\0\0\x01\0", "<I", (14, 18)),
        (rb"IHDR", ">I", (4, 8)),
        (rb"\x28\0\0\0", "<I", (4, 8)),
    ],
    "TGA": [(rb"^", "<H", (3, 5, 12, 14))],
}
"""For each format: what stands before numbers, how these are written, and where they lie from its start."""


# How files are built

_PNG = b"\x89PNG\r\n\x1a\n"

_PIECES = {
    "JPEG": (2, 2, ">H", 2),
    "PNG": (8, 0, ">I", 12),
    "WEBP": (12, 4, "<I", 8),
    "JPEG2000": (0, 0, ">I", 0),
    "AVIF": (0, 0, ">I", 0),
}
"""Where the first piece lies, where in a piece its length, how it is written, and how much it leaves out."""


def _place(content: Bytes, chance: random.Random) -> int:
    """Headers are short and decide most: every other place is one of the first hundred bytes."""
    return chance.randrange(min(len(content), chance.choice((100, len(content)))))


def _pieces(content: Bytes, kind: str, chance: random.Random) -> list[bytes]:
    """Chunks, segments or boxes, where the format has such; else cuts at random."""
    if kind not in _PIECES:
        cuts = sorted(chance.randrange(len(content)) for _ in range(6))
        return [bytes(content[start:end]) for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    at, offset, form, more = _PIECES[kind]
    pieces = [bytes(content[:at])]
    while at + offset + struct.calcsize(form) <= len(content):
        (length,) = struct.unpack_from(form, content, at + offset)
        end = at + length + more + (length % 2 if kind == "WEBP" else 0)
        if length + more < 1 or end > len(content):
            break
        pieces.append(bytes(content[at:end]))
        at = end
    return [*pieces, bytes(content[at:])]


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _mend_sums(content: bytearray) -> None:
    """Make a PNG's check sums right, also inside an icon, and the length that a WebP states at its start."""
    if content.startswith(b"RIFF") and len(content) >= 8:
        struct.pack_into("<I", content, 4, len(content) - 8)
    at = content.find(_PNG) + len(_PNG)
    while at >= len(_PNG) and at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        end = at + 12 + length
        if end > len(content):
            return
        struct.pack_into(">I", content, end - 4, zlib.crc32(content[at + 4 : end - 4]))
        at = end
