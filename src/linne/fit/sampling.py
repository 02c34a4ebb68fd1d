"""Which images an epoch shows, and in what order: it depends on (seed, epoch) alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STREAM = 1
"""Draws within a class are not those of an epoch: numpy takes seeds that differ in zeros at the end for the same."""


def shuffled(images: int, batch_size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Positions of each batch of an epoch that shows every image once; a last, smaller batch is left out."""
    return _batches(np.random.default_rng((seed, epoch)).permutation(images), batch_size)


def balanced(
    labels: NDArray[np.int64], batch_size: int, seed: int, epoch: int, power: float = 0.5
) -> list[NDArray[np.int64]]:
    """Positions of each batch of an epoch that shows rare classes more often, and frequent ones less.

    An epoch is as long as `shuffled`'s. From epoch to epoch each class goes through all of its images before it shows
    any of them again.

    Parameters
    ----------
    labels : (images,) int array
        Not negative.
    batch_size, seed, epoch : int
    power : float
        A class is drawn in proportion to its number of images to this power, in [0, 1]: 0 is each equally often, which
        shows the few images of a very rare class all too often; a half, in between, is what Mahajan et al. found best
        ("Exploring the Limits of Weakly Supervised Pretraining", ECCV 2018, arXiv 1805.00932, section 2.2); 1 leaves
        classes as they are.

    Returns
    -------
    list of (batch_size,) int64 array
    """
    classes, counts = np.unique(labels, return_counts=True)
    by_class = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
    drawn = [
        own[_turn(len(own), quota, (seed, label), epoch)]
        for label, own, quota in zip(classes.tolist(), by_class, quotas(counts, power).tolist(), strict=True)
    ]
    order = np.random.default_rng((seed, epoch)).permutation(len(labels))
    return _batches(np.concatenate(drawn)[order], batch_size)


def quotas(counts: NDArray[np.int64], power: float) -> NDArray[np.int64]:
    """Give how often each class is drawn in an epoch: at least once, and as often together as there are images.

    Parameters
    ----------
    counts : (classes,) int array
        Images of each class, at least 1.
    power : float
        See `balanced`.
    """
    weights = counts.astype(np.float64) ** power
    exact = counts.sum() * weights / weights.sum()
    found: NDArray[np.int64] = np.floor(exact + 1e-9).astype(np.int64)
    largest = np.argsort(found - exact, kind="stable")
    found[largest[: counts.sum() - found.sum()]] += 1
    return found


def _turn(images: int, quota: int, seed: tuple[int, int], epoch: int) -> NDArray[np.int64]:
    """What an epoch takes of a class's endless sequence of shuffled passes; passes are made in blocks, for speed."""
    passes = max(quota // images, 1)
    block, start = divmod(epoch * quota, passes * images)
    found: list[NDArray[np.int64]] = []
    while sum(map(len, found)) < start + quota:
        rng = np.random.default_rng((*seed, block, _STREAM))
        found.append(rng.permuted(np.tile(np.arange(images), (passes, 1)), axis=1).ravel())
        block += 1
    return np.concatenate(found)[start : start + quota]


def _batches(order: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """Cut an epoch into batches; the last, smaller one is left out unless it is the only one."""
    whole = max(len(order) // batch_size, 1)
    return [order[i * batch_size : (i + 1) * batch_size] for i in range(whole)]
