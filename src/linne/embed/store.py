"""The content-addressed store: what was computed from a file's bytes is never computed again.

A shelf holds one kind of result. Its shards are written whole and renamed, so a kill at any moment leaves only
whole shards; a damaged one is passed over, and what it held is computed again.
"""

from __future__ import annotations

import os
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linne.records.atomic import replacing
from linne.records.fingerprint import DIGEST_BYTES

Arrays = Mapping[str, NDArray[Any]]
KEYS = "keys"


def default_folder() -> Path:
    """Give the user's cache folder for linne (``XDG_CACHE_HOME`` or ``~/.cache``)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linne"


class Shelf:
    """Results of one kind, by the digest of the bytes that they were computed from.

    Parameters
    ----------
    folder : Path
        Made when the first shard is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shards: list[Path] = []
        self._keys: NDArray[np.bytes_] = np.empty(0, "S16")  # sorted
        self._shard: NDArray[np.int32] = np.empty(0, np.int32)
        self._row: NDArray[np.int32] = np.empty(0, np.int32)
        for path in sorted(folder.glob("*.npz")):
            if (keys := _read(path, KEYS)) is not None:
                self._add(path, keys)

    def __len__(self) -> int:
        return len(self._keys)

    def known(self) -> set[bytes]:
        """Digests on the shelf."""
        return {key.ljust(DIGEST_BYTES, b"\0") for key in self._keys.tolist()}

    def append(self, keys: list[bytes], arrays: Arrays) -> None:
        """Write results as one shard; arrays have one row a key."""
        flat = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, DIGEST_BYTES)
        path = self.folder / f"{secrets.token_hex(8)}.npz"
        with replacing(path) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **{KEYS: flat, **arrays})
        self._add(path, flat)

    def gather(self, keys: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Read the results of digests ``(n, 16)``, in their order.

        Raises
        ------
        KeyError
            A digest is not on the shelf.
        """
        wanted = _sortable(keys)
        if len(wanted) == 0:
            return {}
        at = np.minimum(np.searchsorted(self._keys, wanted), max(len(self._keys) - 1, 0))
        if len(self._keys) == 0 or (self._keys[at] != wanted).any():
            raise KeyError("a digest is not on the shelf")
        out: dict[str, NDArray[Any]] = {}
        for shard in np.unique(self._shard[at]):
            rows = np.flatnonzero(self._shard[at] == shard)
            with np.load(self._shards[shard], allow_pickle=False) as archive:
                for name in archive.files:
                    if name == KEYS:
                        continue
                    values = archive[name]
                    if name not in out:
                        out[name] = np.empty((len(wanted), *values.shape[1:]), values.dtype)
                    out[name][rows] = values[self._row[at[rows]]]
        return out

    def _add(self, path: Path, keys: NDArray[np.uint8]) -> None:
        self._shards.append(path)
        merged = np.concatenate([self._keys, _sortable(keys)])
        self._keys, first = np.unique(merged, return_index=True)
        shard = np.concatenate([self._shard, np.full(len(keys), len(self._shards) - 1, np.int32)])
        row = np.concatenate([self._row, np.arange(len(keys), dtype=np.int32)])
        self._shard, self._row = shard[first], row[first]


def _sortable(keys: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    # Digests have one length, so that "S16", which ignores trailing zeros, still tells all of them apart.
    return np.ascontiguousarray(keys).view(f"S{DIGEST_BYTES}").reshape(-1)


def _read(path: Path, name: str) -> NDArray[Any] | None:
    """Read one array of a shard after checking all of it; None if the shard is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
        with np.load(path, allow_pickle=False) as arrays:
            values: NDArray[Any] = arrays[name]
            return values
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return None
