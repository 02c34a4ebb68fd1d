"""Class folders, with or without train, validation and test above them."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.index.by_folder import LOOSE, meaning_of
from linne.index.labelled import LAYOUT, Labels, as_index
from linne.index.names import natural_key
from linne.index.scan import Listing, scan
from linne.records.errors import DataError
from linne.records.index import UNKNOWN_SIZE, Index, large_strings
from linne.records.set_aside import NO_IMAGE, SetAside

CHUNK = 1 << 16


class Scanned:
    """What a folder holds, gathered flat: paths go into Arrow as they come, and stay no Python strings."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folders: list[str] = []
        self.counts: list[int] = []
        self.aside: list[SetAside] = []
        self._chunks: list[pa.Array] = []
        paths: list[str] = []
        for item in scan(str(root)):
            if isinstance(item, SetAside):
                self.aside.append(item)
                continue
            self._add(item)
            paths += item.paths()
            if len(paths) >= CHUNK:
                self._chunks.append(large_strings(paths))
                paths = []
        self._chunks.append(large_strings(paths))

    def _add(self, listing: Listing) -> None:
        self.folders.append(listing.folder)
        self.counts.append(len(listing.names))

    def classes(self) -> int:
        """How many classes the folders make."""
        return len(meaning_of(self.root, self.folders).names)

    def others(self, suffix: str) -> list[str]:
        """Paths of files that are no images and have this suffix."""
        return [item.path for item in self.aside if item.reason == NO_IMAGE and item.path.lower().endswith(suffix)]

    def everything(self) -> Index:
        """Index all images; the label of those that lie in no class folder is -1. `DataError` if there are none."""
        try:
            names, label, subset = astuple(meaning_of(self.root, self.folders))
        except DataError:  # half a split: which folder is a class does not matter here
            names, label, subset = [], np.full(len(self.folders), -1, np.int32), np.zeros(len(self.folders), np.int8)
        paths, size = self._columns()
        if not len(paths):
            raise DataError("no images found", file=self.root, remedy=LAYOUT)
        order = sorted(range(len(names)), key=lambda place: natural_key(names[place]))
        place = np.append(np.argsort(order), -1).astype(np.int32)  # the last for label -1
        counts = np.array(self.counts, np.int64)
        return Index(
            str(self.root),
            tuple(names[i] for i in order),
            paths,
            np.repeat(place[label], counts),
            np.repeat(subset, counts),
            size,
            tuple(self.aside),
        )

    def _columns(self) -> tuple[pa.Array, NDArray[np.int64]]:
        paths = pa.concat_arrays(self._chunks)
        return paths, np.full(len(paths), UNKNOWN_SIZE, np.int64)

    def as_index(self) -> Index:
        """Index what was found by its class folders."""
        meaning = meaning_of(self.root, self.folders)
        counts = np.array(self.counts, np.int64)
        paths, size = self._columns()
        label, subset = np.repeat(meaning.label, counts), np.repeat(meaning.subset, counts)
        loose = label < 0
        aside = [*self.aside, *(SetAside(path, LOOSE) for path in paths.filter(pa.array(loose)).to_pylist())]
        if loose.any():
            paths = paths.filter(pa.array(~loose))
            label, subset, size = label[~loose], subset[~loose], size[~loose]
        return as_index(self.root, str(self.root), paths, Labels(meaning.names, label), subset, size, aside)


def read_folder(root: Path) -> Index:
    """Index a folder of class folders.

    ``root/CLASS/.../image`` gives images without a subset. Where every folder in `root` that holds
    images is named train, validation (val, valid) or test, and train is among them,
    ``root/SUBSET/CLASS/.../image`` is read and the split is the user's. A folder without images is no class.

    Raises
    ------
    DataError
        No such folder, no images, one class only, a class that train does not have, or half a split.
    """
    if not root.is_dir():
        raise DataError("no such folder" if not root.exists() else "is no folder", file=root, remedy=LAYOUT)
    return Scanned(root.resolve()).as_index()
