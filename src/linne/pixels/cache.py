"""Decoded once: the pixels of training images, in a file that is mapped into memory.

Two files: ``ID.pixels`` holds the pixels, one image behind the other; ``ID.rows`` has one line an image, with its
place, size and checksum, written after its pixels. So a kill at any moment leaves whole images and lines of zeros. One
process writes, under a lock; others read what is there. What fails its checksum is decoded again.
"""

from __future__ import annotations

import mmap
import os
import shutil
import threading
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from linne.records import fingerprint

FORMAT = 1
"""To be raised when what the files say changes."""

ROW: Final = np.dtype([("offset", "<u8"), ("height", "<u2"), ("width", "<u2"), ("checksum", "<u4")])

FOLDER = "pixels"

LEFT_FREE = 1 << 30
"""Bytes of the disk: a cache that filled it would leave a run no place for its weights, its bundle and its report."""


class PixelCache:
    """Pictures of an index's rows, ``(height, width, channels)`` uint8.

    Parameters
    ----------
    folder : Path
        Made if need be.
    digests : (n, 16) uint8 array
        Of each row's file; they and the settings name the cache, so that other files never meet old pixels.
    channels, side : int
        Of the pictures: their shorter side in pixels.
    limit : int
        Bytes of all caches in the folder together. The oldest others are removed for this one; rows beyond it, or
        that would leave less than `LEFT_FREE` of the disk, are not kept.

    Notes
    -----
    Threads may share it. What cannot be written (a full disk, a folder that may not be written) is not kept:
    `keeps` is then False, and the next reader decodes.
    """

    def __init__(self, folder: Path, digests: NDArray[np.uint8], channels: int, side: int, limit: int) -> None:
        name = fingerprint.of_settings([FORMAT, channels, side, fingerprint.of_arrays(digests)])
        self._pixels, self._rows = folder / f"{name}.pixels", folder / f"{name}.rows"
        self._channels = channels
        self.side = side
        self._checked = np.zeros(len(digests), np.bool_)
        self._guard = threading.Lock()
        self._lock = FileLock(folder / f"{name}.lock", thread_local=False)
        self._files: list[int] = []
        self._table: NDArray[np.void] = np.zeros(len(digests), ROW)
        self._end = self._room = 0
        self._full = ""
        self._map: mmap.mmap | None = None
        self.problem = ""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            self.problem = "another run is writing it"
        except OSError as error:
            self.problem = str(error.strerror)
        self._open(len(digests))
        if self.keeps:
            self._find_room(folder, name, limit, len(digests) * channels * side * round(1.5 * side))

    @property
    def keeps(self) -> bool:
        """Whether `put` still writes."""
        return not self.problem

    def lacking(self, rows: NDArray[np.int64]) -> int:
        """How many of these rows have no picture here, whole or damaged."""
        return int((self._table["height"][rows] == 0).sum())

    def bytes_of(self, rows: NDArray[np.int64]) -> int:
        """How much memory the pictures of some rows take."""
        lines = self._table[rows]
        return int((lines["height"].astype(np.int64) * lines["width"]).sum()) * self._channels

    def get(self, row: int) -> NDArray[np.uint8] | None:
        """Give a row's picture, read-only; None if it is not here whole."""
        offset, height, width, checksum = self._table[row].item()
        size = height * width * self._channels
        if not size:
            return None
        mapped = self._mapped(offset + size)
        if mapped is None:
            return None
        picture = np.frombuffer(mapped, np.uint8, size, offset)
        if not self._checked[row]:
            if zlib.crc32(picture.data) != checksum:
                return None
            self._checked[row] = True
        return picture.reshape(height, width, self._channels)

    def put(self, row: int, picture: NDArray[np.uint8]) -> None:
        """Keep a row's picture, if there is room."""
        height, width = picture.shape[:2]
        if not self.keeps or max(height, width) >= 1 << 16:
            return
        with self._guard:
            offset = self._end
            if offset + picture.nbytes > self._room:
                self.problem = self._full
                return
            self._end += picture.nbytes
        data = np.ascontiguousarray(picture).data.cast("B")
        line = np.array((offset, height, width, zlib.crc32(data)), ROW)
        try:
            _write(self._files[0], data, offset)
            _write(self._files[1], memoryview(line.tobytes()), row * ROW.itemsize)
        except OSError as error:
            self.problem = str(error.strerror)
            return
        self._checked[row] = True

    def close(self) -> None:
        """Let go of files and lock; pictures that were given stay valid."""
        for file in self._files:
            os.close(file)
        self._files = []
        self.problem = self.problem or "it is closed"
        self._lock.release()

    def _open(self, rows: int) -> None:
        """Open both files, for writing where this process has the lock; what is of another length begins anew."""
        flags = os.O_RDWR | os.O_CREAT if self.keeps else os.O_RDONLY
        try:
            for path in (self._pixels, self._rows):
                self._files.append(os.open(path, flags, 0o644))
            if self.keeps and os.fstat(self._files[1]).st_size != rows * ROW.itemsize:
                for file in self._files:
                    os.ftruncate(file, 0)
                os.ftruncate(self._files[1], rows * ROW.itemsize)
            self._table = np.memmap(self._rows, ROW, "r", shape=(rows,)).view(np.ndarray)
            self._end = os.fstat(self._files[0]).st_size
        except (OSError, ValueError) as error:
            self.problem = self.problem or str(error)

    def _find_room(self, folder: Path, name: str, limit: int, expected: int) -> None:
        """Remove other caches, as far as `expected` bytes need it, and see how many there are for this one."""
        try:
            free = shutil.disk_usage(folder).free - LEFT_FREE
        except OSError as error:
            self.problem = str(error.strerror)
            return
        others = _others(folder, name)
        held = sum(about.st_size for about in others.values())
        left = _remove_oldest(others, min(limit, self._end + held + free) - expected)
        on_disk = self._end + free + held - left
        self._room, self._full = limit - left, "its size is reached"
        if on_disk < self._room:
            self._room, self._full = on_disk, "the disk is nearly full"

    def _mapped(self, end: int) -> mmap.mmap | None:
        """Give the file of pixels, mapped at least up to `end`; None where it ends earlier."""
        mapped = self._map
        if mapped is not None and len(mapped) >= end:
            return mapped
        with self._guard:
            if not self._files or os.fstat(self._files[0]).st_size < end:
                return None
            self._map = mmap.mmap(self._files[0], 0, access=mmap.ACCESS_READ)
            return self._map


def _write(file: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written


def _others(folder: Path, name: str) -> dict[Path, os.stat_result]:
    """The other caches' files of pixels."""
    about = {}
    for path in folder.glob("*.pixels"):
        with suppress(OSError):  # another run removes it just now
            about[path] = path.stat()
    about.pop(folder / f"{name}.pixels", None)
    return about


def _remove_oldest(caches: dict[Path, os.stat_result], most: int) -> int:
    """Remove the oldest caches that nobody writes until they have at most `most` bytes; give what they have then."""
    held = sum(about.st_size for about in caches.values())
    for path in sorted(caches, key=lambda path: caches[path].st_mtime):
        if held <= most:
            break
        try:
            with FileLock(path.with_suffix(".lock")).acquire(timeout=0):
                path.with_suffix(".rows").unlink(missing_ok=True)
                path.unlink(missing_ok=True)
        except (Timeout, OSError):
            continue  # another run writes it
        held -= caches[path].st_size
    return held
