"""Where rows of an index lie in containers: three flat columns, and the containers' names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linne.records.containers import Container
from linne.records.content import Content, FileContent
from linne.records.members import TarMember, ZipMember
from linne.records.rows import RowContent


@dataclass(frozen=True)
class Contained:
    """Which rows lie in which container, and where.

    Attributes
    ----------
    containers : tuple of Container
    container : (n,) int32 array
        Position in `containers`; -1 for a file of its own.
    offset : (n,) int64 array
        Tar: where the bytes begin. Zip: where the member's header begins. Parquet and Arrow: the row in the file.
    stored : (n,) int64 array
        Bytes in the container: fewer than the image's where it is deflated; -1 where it is not known.
    """

    containers: tuple[Container, ...]
    container: NDArray[np.int32]
    offset: NDArray[np.int64]
    stored: NDArray[np.int64]

    def content(self, root: str, row: int, path: str, size: int) -> Content:
        """The bytes of one row, whose path below `root` is `path`."""
        place = int(self.container[row])
        if place < 0:
            return FileContent(Path(root, path))
        inside = self.containers[place]
        file, offset = Path(root, inside.path), int(self.offset[row])
        member = path.removeprefix(f"{inside.path}/")
        if inside.kind == "tar":
            return TarMember(file, inside.stamp, member, offset, size)
        if inside.kind == "zip":
            return ZipMember(file, inside.stamp, member, offset, int(self.stored[row]), size)
        return RowContent(file, inside, member, offset, size)
