"""Walk over a tar's headers without reading what lies between: some microseconds a member.

`tarfile` keeps an object a member and takes ten times as long. Read are the formats that tar, bsdtar and Python
write: ustar, GNU (long names, large numbers) and pax (path and size).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from linne.records.members import TAR_BLOCK, tar_checksum_fails, tar_size

MAX_EXTENDED = 1 << 20
"""Longest name or extended header that is believed."""

_FILES = (b"0", b"\0", b"7")
_END = bytes(TAR_BLOCK)


class Torn(Exception):  # noqa: N818 - an end of a walk
    """The tar is cut off or damaged from here on."""


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file; `offset` is where its bytes begin. Others have no `offset`: folders (size 0), links, devices."""

    name: str
    offset: int
    size: int
    regular: bool
    folder: bool


def walk(file: BinaryIO, end: int) -> Iterator[Member]:
    """Yield the members of a tar of `end` bytes, up to its end or to where it is torn.

    Raises
    ------
    Torn
        The rest cannot be read; what was yielded is whole.
    """
    position = 0
    longer: dict[str, str] = {}
    while position < end:
        file.seek(position)
        header = file.read(TAR_BLOCK)
        if header == _END:
            return
        size = tar_size(header[124:136])
        if len(header) < TAR_BLOCK or size < 0 or tar_checksum_fails(header):
            raise Torn(f"is cut off or damaged from byte {position} on")
        kind, start = header[156:157], position + TAR_BLOCK
        if kind in (b"L", b"K", b"x", b"g"):
            position = _after(start, size)
            longer |= _extended(file, kind, size)
            continue
        if kind in _FILES and "size" in longer and longer["size"].isdecimal():
            size = int(longer["size"].lstrip("0")[:20] or 0)  # more digits are more than any file has
        name = longer.get("path") or _name(header)
        longer = {}
        has_data = kind not in (b"1", b"2", b"3", b"4", b"5", b"6")
        position = _after(start, size if has_data else 0)
        if has_data and start + size > end:
            raise Torn(f"is cut off in {name!r}")
        folder = kind == b"5" or (kind in _FILES and name.endswith("/"))
        yield Member(name, start, size, kind in _FILES and not folder, folder)


def _after(start: int, size: int) -> int:
    return start + -(-size // TAR_BLOCK) * TAR_BLOCK


def _name(header: bytes) -> str:
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and header[345]:
        return f"{_text(header[345:500])}/{name}"
    return name


def _extended(file: BinaryIO, kind: bytes, size: int) -> dict[str, str]:
    """What a long name or an extended header says of the next member; nothing for global ones and links."""
    if size > MAX_EXTENDED:
        raise Torn(f"has an extended header of {size} bytes")
    content = file.read(size)
    if len(content) < size:
        raise Torn("is cut off in an extended header")
    if kind == b"L":
        return {"path": _text(content)}
    return _records(content) if kind == b"x" else {}


def _records(content: bytes) -> dict[str, str]:
    r"""Records of a pax header, ``LENGTH KEY=VALUE\n`` each."""
    found: dict[str, str] = {}
    position = 0
    while position < len(content):
        digits, blank, _ = content[position : position + 20].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = content[position + len(digits) + 1 : position + length - 1]
        key, equals, value = record.partition(b"=")
        if not blank or not equals:
            raise Torn("has an extended header that is damaged")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        position += length
    return found


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
