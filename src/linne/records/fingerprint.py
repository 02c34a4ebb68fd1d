"""One short name for content: the same bytes, arrays or settings give the same name on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES = 16
"""128 bits: two of a billion files share a name with a chance of 1e-21."""


def of_bytes(content: bytes) -> bytes:
    """Digest of a file's content, 16 bytes."""
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def sortable(digests: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Digests ``(n, 16)`` as values ``(n,)`` to sort and to search.

    They have one length, so that bytes of NumPy, which ignore trailing zeros, still tell all of them apart.
    """
    return np.ascontiguousarray(digests).view(f"S{DIGEST_BYTES}").reshape(-1)


def of_settings(value: Any) -> str:
    """Hex digest of anything that JSON can hold; the order of keys does not matter."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return of_bytes(text.encode("utf-8", "backslashreplace")).hex()


def of_arrays(*arrays: NDArray[Any]) -> str:
    """Hex digest of arrays with their dtypes and shapes."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
