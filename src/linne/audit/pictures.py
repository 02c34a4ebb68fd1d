"""What the search for copies knows of each image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pictures:
    """One row an image.

    Attributes
    ----------
    digest : (n, 16) uint8 array
        Of the files' bytes.
    hash : (n,) uint64 array
        Perceptual hashes.
    thumb : (n, 16, 16) uint8 array
    detail : (n, 32, 32) uint8 array
    features : (n, d) float32 array or None
        Embeddings by a network; without them, cropped copies are missed.
    readable : (n,) bool array
    """

    digest: NDArray[np.uint8]
    hash: NDArray[np.uint64]
    thumb: NDArray[np.uint8]
    detail: NDArray[np.uint8]
    features: NDArray[np.float32] | None
    readable: NDArray[np.bool_]
