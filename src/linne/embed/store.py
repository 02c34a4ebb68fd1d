"""The content-addressed store: what was computed from a file's bytes is never computed again.

A shelf holds one kind of result. Its shards are written whole and renamed, so a kill at any moment leaves only
whole shards. Each is named by the digest of its content: a damaged one is passed over, and what it held is computed
again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linne.records.atomic import replacing
from linne.records.fingerprint import DIGEST_BYTES, of_bytes, sortable

Arrays = Mapping[str, NDArray[Any]]
KEYS = "keys"
_KEY = f"S{DIGEST_BYTES}"


class Shelf:
    """Results of one kind, by the digest of the bytes that they were computed from.

    Parameters
    ----------
    folder : Path
        Made when the first shard is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        whole = [(path, keys) for path in sorted(folder.glob("*.npz")) if (keys := _keys_of(path)) is not None]
        self._shards = [path for path, _ in whole]
        sizes = [len(keys) for _, keys in whole]
        merged = np.concatenate([np.empty(0, _KEY), *(sortable(keys) for _, keys in whole)])
        self._keys, first = np.unique(merged, return_index=True)  # sorted
        self._shard = np.repeat(np.arange(len(whole), dtype=np.int32), sizes)[first]
        self._row = np.concatenate([np.empty(0, np.int32), *(np.arange(size, dtype=np.int32) for size in sizes)])[first]

    def __len__(self) -> int:
        return len(self._keys)

    def known(self) -> set[bytes]:
        """Digests on the shelf."""
        return {key.ljust(DIGEST_BYTES, b"\0") for key in self._keys.tolist()}

    def __contains__(self, key: object) -> bool:
        """Whether a digest is on the shelf. Threads may ask while another one appends."""
        keys = self._keys
        wanted = np.array([key], _KEY)
        at = np.searchsorted(keys, wanted)
        return bool(at[0] < len(keys) and keys[at[0]] == wanted[0])

    def append(self, keys: list[bytes], arrays: Arrays) -> None:
        """Write results as one shard; arrays have one row a key. Digests that are on the shelf are left out.

        Raises
        ------
        WriteError
            The shard could not be written; the shelf is as it was.
        """
        flat = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, DIGEST_BYTES)
        different, rows = np.unique(sortable(flat), return_index=True)
        at = np.searchsorted(self._keys, different)
        new = ~self._is_at(at, different)
        different, rows, at = different[new], rows[new], at[new]
        if not len(rows):
            return
        file = io.BytesIO()
        columns = {name: values[rows] for name, values in arrays.items()}
        np.savez(file, allow_pickle=False, **{KEYS: flat[rows], **columns})
        content = file.getvalue()
        path = self.folder / f"{of_bytes(content).hex()}.npz"
        with replacing(path) as part:
            part.write_bytes(content)
        self._shards.append(path)
        # Inserted, not sorted anew: the shelf may hold a million digests, and this is done for every shard.
        self._shard = np.insert(self._shard, at, np.int32(len(self._shards) - 1))
        self._row = np.insert(self._row, at, np.arange(len(rows), dtype=np.int32))
        self._keys = np.insert(self._keys, at, different)

    def gather(self, keys: NDArray[np.uint8], names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """Read the results of digests ``(n, 16)``, in their order.

        Parameters
        ----------
        keys : (n, 16) uint8 array
        names : sequence of str, optional
            The arrays to read; by default all.

        Raises
        ------
        KeyError
            A digest is not on the shelf.
        """
        wanted = sortable(keys)
        if len(wanted) == 0:
            return {}
        at = np.searchsorted(self._keys, wanted)
        if not self._is_at(at, wanted).all():
            raise KeyError("a digest is not on the shelf")
        shards, rows = self._shard[at], self._row[at]
        order = np.argsort(shards, kind="stable")
        used, starts = np.unique(shards[order], return_index=True)
        out: dict[str, NDArray[Any]] = {}
        for shard, places in zip(used, np.split(order, starts[1:]), strict=True):
            with np.load(self._shards[shard], allow_pickle=False) as archive:
                for name in names or [name for name in archive.files if name != KEYS]:
                    values = archive[name]
                    if name not in out:
                        out[name] = np.empty((len(wanted), *values.shape[1:]), values.dtype)
                    out[name][places] = values[rows[places]]
        return out

    def _is_at(self, at: NDArray[np.intp], wanted: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Whether each digest lies where a search has put it."""
        if not len(self._keys):
            return np.zeros(len(wanted), np.bool_)
        return np.asarray(self._keys[np.minimum(at, len(self._keys) - 1)] == wanted)


def _keys_of(path: Path) -> NDArray[np.uint8] | None:
    """Digests in a shard, ``(n, 16)``; None if it is damaged or gone."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return _checked(path, facts.st_size, facts.st_mtime_ns)


@cache  # a plan asks for the same shelves again and again, and checking reads every byte
def _checked(path: Path, _size: int, _modified: int) -> NDArray[np.uint8] | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if of_bytes(content).hex() != path.stem:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        keys: NDArray[np.uint8] = arrays[KEYS]
        return keys
