"""The bytes of one image inside a tar or a zip: opened, found and read, nothing kept open between.

The header that stands before each member says again what it is, so that a container that was written anew never
gives another image's bytes without a word.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from linne.records.containers import REMEDY, refuse_if_changed
from linne.records.content import MAX_BYTES
from linne.records.errors import ImageError

TAR_BLOCK = 512
ZIP_STORED, ZIP_DEFLATED = 0, 8
_LOCAL = struct.Struct("<4s5H3I2H")
_CRC_FOLLOWS = 1 << 3
_DESCRIPTOR = 8


@dataclass(frozen=True, slots=True)
class TarMember:
    """A slice of a tar.

    Attributes
    ----------
    container : Path
    stamp : str
        The container's.
    member : str
        What to call it within the container.
    offset, size : int
        Of its bytes; its header is the block before.
    """

    container: Path
    stamp: str
    member: str
    offset: int
    size: int

    @property
    def name(self) -> str:
        """Container and member."""
        return f"{self.container}/{self.member}"

    def read(self) -> bytes:
        """Read it whole; `ImageError` if it cannot be, or the container is another now."""
        _refuse_large(self.name, self.size)
        with _opened(self.container, self.stamp) as file:
            content = _read_at(self.container, file, self.offset - TAR_BLOCK, TAR_BLOCK + self.size)
        if tar_checksum_fails(content[:TAR_BLOCK]) or tar_size(content[124:136]) != self.size:
            raise ImageError("is no member of this archive any more", file=self.name, remedy=REMEDY)
        return content[TAR_BLOCK:]


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A member of a zip, stored or deflated.

    Attributes
    ----------
    container : Path
    stamp : str
        The container's.
    member : str
        What to call it within the container.
    offset : int
        Of its local header.
    stored, size : int
        Bytes in the archive, and of the image.
    """

    container: Path
    stamp: str
    member: str
    offset: int
    stored: int
    size: int

    @property
    def name(self) -> str:
        """Container and member."""
        return f"{self.container}/{self.member}"

    def read(self) -> bytes:
        """Read and inflate it whole; `ImageError` if it cannot be, is damaged, or the container is another now."""
        _refuse_large(self.name, max(self.size, self.stored))
        with _opened(self.container, self.stamp) as file:
            header = _read_at(self.container, file, self.offset, _LOCAL.size)
            mark, _, flags, method, _, _, crc, _, _, name, extra = _LOCAL.unpack(header)
            if mark != b"PK\3\4" or method not in (ZIP_STORED, ZIP_DEFLATED):
                raise ImageError("is no member of this archive any more", file=self.name, remedy=REMEDY)
            start = self.offset + _LOCAL.size + name + extra
            more = _DESCRIPTOR if flags & _CRC_FOLLOWS else 0
            raw = _read_at(self.container, file, start, self.stored + more)
        if more:
            end = raw[self.stored :]
            crc = int.from_bytes(end[4:] if end[:4] == b"PK\7\x08" else end[:4], "little")
            raw = raw[: self.stored]
        content = raw if method == ZIP_STORED else self._inflated(raw)
        if len(content) != self.size or zlib.crc32(content) != crc:
            raise ImageError("is damaged: its checksum is another", file=self.name, remedy="replace the archive")
        return content

    def _inflated(self, raw: bytes) -> bytes:
        """Inflate no more than what the archive declares."""
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflate.decompress(raw, self.size + 1)
        except zlib.error as error:
            raise ImageError("is damaged", file=self.name, value=error, remedy="replace the archive") from error
        if len(content) > self.size or not inflate.eof:
            raise ImageError(f"inflates to other than {self.size} bytes", file=self.name, remedy="replace the archive")
        return content


def tar_size(field: bytes) -> int:
    """Read a number of a tar header: octal text, or large ones in base 256; -1 for neither."""
    if field[:1] in (b"\x80", b"\xff"):
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
    text = field.split(b"\0", 1)[0].strip()
    if not all(digit in b"01234567" for digit in text):
        return -1
    return int(text or b"0", 8)


def tar_checksum_fails(header: bytes) -> bool:
    """Whether a block is no tar header; the sum counts its own field as blanks."""
    return sum(header) - sum(header[148:156]) + 8 * 32 != tar_size(header[148:156])


def _refuse_large(name: str, size: int) -> None:
    if size > MAX_BYTES:
        raise ImageError(f"more than {MAX_BYTES} bytes", file=name, remedy="leave it out or replace it")


def _opened(container: Path, stamp: str) -> BinaryIO:
    """Open a container, unbuffered; `ImageError` if it is gone or changed."""
    try:
        file: BinaryIO = container.open("rb", buffering=0)
    except OSError as error:
        raise ImageError("cannot be read", file=container, value=error.strerror, remedy="check the path") from error
    try:
        refuse_if_changed(container, file, stamp)
    except BaseException:
        file.close()
        raise
    return file


def _read_at(container: Path, file: BinaryIO, start: int, length: int) -> bytes:
    """Read exactly so many bytes; a raw file may give fewer at a time."""
    parts: list[bytes] = []
    try:
        file.seek(start)
        while length > 0 and (part := file.read(length)):
            parts.append(part)
            length -= len(part)
    except (OSError, ValueError) as error:
        raise ImageError("cannot be read", file=container, value=error, remedy="check the file") from error
    if length:
        raise ImageError("is cut off", file=container, remedy="bring the whole file")
    return parts[0] if len(parts) == 1 else b"".join(parts)
