"""When do two images look alike to a classifier? A Gaussian kernel on the embeddings.

Approximated by landmarks (Nystroem: Williams and Seeger, "Using the Nystroem Method to Speed Up Kernel Machines", NIPS
2000); up to `LANDMARKS` images it is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

LANDMARKS = 1000

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Kernel:
    """A map under which inner products are, about, a Gaussian kernel as wide as the median distance.

    Attributes
    ----------
    mean : (d,) float32 array
        Of the rooted landmarks.
    width : float
        Standard deviation, times the root of two.
    landmarks : (m, d) float32 array
        Rooted, less the mean, over the width.
    projection : (m, size) float32 array
    """

    mean: Array
    width: float
    landmarks: Array
    projection: Array

    @property
    def size(self) -> int:
        """Dimensions of what is mapped."""
        return int(self.projection.shape[1])

    def map(self, features: Array) -> Array:
        """``(n, d)`` to ``(n, size)``."""
        mapped: Array = (
            np.exp(-_squared_distances((_rooted(features) - self.mean) / self.width, self.landmarks)) @ self.projection
        )
        return mapped

    def rotated(self, vectors: NDArray[np.float64]) -> Kernel:
        """The same kernel in other coordinates: the columns of an orthogonal matrix."""
        return replace(self, projection=(self.projection @ vectors).astype(np.float32))


def fit_kernel(features: Array, rng: np.random.Generator) -> Kernel:
    """Draw landmarks, and find the width by them."""
    landmarks = _rooted(features[np.sort(rng.permutation(len(features))[:LANDMARKS])])
    mean = landmarks.mean(axis=0)
    landmarks -= mean
    between = _squared_distances(landmarks, landmarks)
    apart = between[between > 1e-6 * between.max()]  # copies do not count
    width = float(np.sqrt(np.median(apart))) if len(apart) else 1.0
    values, vectors = np.linalg.eigh(np.exp(-between.astype(np.float64) / width**2))
    kept = values > 1e-6 * values[-1]
    return Kernel(
        mean, width, landmarks / np.float32(width), (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    )


def _rooted(features: Array) -> Array:
    """Square roots, with the sign kept: a few strong features no longer outweigh the rest.

    Perronnin, Sanchez and Mensink, "Improving the Fisher Kernel for Large-Scale Image Classification", ECCV 2010,
    section 3.2.
    """
    rooted: Array = np.copysign(np.sqrt(np.abs(features)), features)
    return rooted


def _squared_distances(a: Array, b: Array) -> Array:
    squares: Array = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.maximum(squares, 0)
