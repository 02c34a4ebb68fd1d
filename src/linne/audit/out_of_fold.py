"""What would a classifier say of each image that it was not trained on?

Kernel ridge regression on the embeddings, in closed form, so that it costs seconds where cross-validated training
costs hours. One decomposition gives every image the classifier of all other images: leave-one-out, or where images
belong together leave-one-group-out (Rifkin and Lippert, "Notes on Regularized Least Squares", MIT-CSAIL-TR-2007-025,
section 3). The Gaussian kernel is approximated by landmarks (`kernel.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from linne.audit.kernel import Kernel, fit_kernel

KEPT = 10
"""Classes remembered of each image, the likeliest: all of 10,000 for a million images would be 40 GB."""

PENALTIES = (1.0, 4.0)
"""Less would do better by log loss where labels are wrong, and find fewer of these (docs/rooms/audit.md)."""

TEMPERATURES = np.geomspace(0.02, 0.5, 15)

SAMPLE = 5000
"""Images by which penalty and temperature are chosen."""

CELLS = 2**24
"""Images times classes held at once."""

BLOCK = 4096

JITTER = 1e-4
"""Keeps a matrix positive definite, of which nearly all is taken away, in single precision."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class OutOfFold:
    """What the classifier of the other images says of each.

    Attributes
    ----------
    given : (n,) float32 array
        Probability of the label that the image has.
    top : (n, k) int32 array
        The `KEPT` likeliest classes, the likeliest first; all where there are no more.
    probability : (n, k) float32 array
        Of these.
    telling : bool
        Whether that is worth anything: the log loss is below that of the shares of the classes alone.
    """

    given: Array
    top: NDArray[np.int32]
    probability: Array
    telling: bool


def out_of_fold(
    features: Array, labels: NDArray[np.int32], groups: NDArray[np.int64], classes: int, seed: int
) -> OutOfFold:
    """Predict every image from the images of other groups.

    Parameters
    ----------
    features : (n, d) float32 array
    labels : (n,) int32 array
    groups : (n,) int64 array
        Images of one group (duplicates) never vouch for each other.
    classes : int
    seed : int
        Draws landmarks, and the images by which penalty and temperature are chosen: those with the least log loss.
    """
    n, kept = len(labels), min(KEPT, classes)
    if not n:
        return OutOfFold(np.zeros(0, np.float32), np.zeros((0, kept), np.int32), np.zeros((0, kept), np.float32), False)
    rng = np.random.default_rng(seed)
    ridge = _fit(fit_kernel(features, rng), features, labels, classes)
    order = np.argsort(groups, kind="stable")
    ends = np.flatnonzero(np.diff(groups[order], append=groups[order[-1]] - 1)) + 1
    size = min(BLOCK, max(CELLS // classes, 1))

    sample = _some_groups(order, ends, min(SAMPLE, 8 * size), rng)
    best, least = (PENALTIES[0], TEMPERATURES[-1]), np.inf
    for penalty in PENALTIES:
        losses = np.zeros(len(TEMPERATURES))
        for rows, scores in _held_out(ridge, penalty, features, labels, *sample, size):
            losses += [_losses(scores / np.float32(t), labels[rows]).sum() for t in TEMPERATURES]
        if losses.min() < least:
            best, least = (penalty, TEMPERATURES[losses.argmin()]), losses.min()
    telling = least < -np.log(ridge.prior[labels[sample[0]]]).sum()

    given = np.empty(n, np.float32)
    top, probability = np.empty((n, kept), np.int32), np.empty((n, kept), np.float32)
    for rows, scores in _held_out(ridge, best[0], features, labels, order, ends, size):
        p = softmax(scores / np.float32(best[1]))
        given[rows] = p[np.arange(len(rows)), labels[rows]]
        likeliest = np.argpartition(-p, kept - 1, axis=1)[:, :kept] if kept < classes else np.arange(classes)[None]
        held = np.take_along_axis(p, likeliest, axis=1)
        falling = np.argsort(-held, axis=1, kind="stable")
        top[rows] = np.take_along_axis(np.broadcast_to(likeliest, held.shape), falling, axis=1)
        probability[rows] = np.take_along_axis(held, falling, axis=1)
    return OutOfFold(given, top, probability, bool(telling))


@dataclass(frozen=True)
class _Ridge:
    """Ridge regression of one-hot labels less `prior`, in coordinates where the Gram matrix is diagonal.

    Attributes
    ----------
    kernel : Kernel
        Maps into these coordinates.
    values : (size,) float64 array
        The Gram matrix.
    moment : (size, classes) float32 array
        Mapped images times targets.
    prior : (classes,) float32 array
        Share of each class.
    """

    kernel: Kernel
    values: NDArray[np.float64]
    moment: Array
    prior: Array


def _fit(kernel: Kernel, features: Array, labels: NDArray[np.int32], classes: int) -> _Ridge:
    gram, sums = np.zeros((kernel.size, kernel.size)), np.zeros((classes, kernel.size))
    for start in range(0, len(labels), BLOCK):
        by_label = start + np.argsort(labels[start : start + BLOCK], kind="stable")
        mapped = kernel.map(features[by_label])
        gram += mapped.T @ mapped
        present, starts = np.unique(labels[by_label], return_index=True)
        sums[present] += np.add.reduceat(mapped, starts, axis=0)
    prior = np.bincount(labels, minlength=classes) / len(labels)
    values, vectors = np.linalg.eigh(gram)
    moment = vectors.T @ (sums - np.outer(prior, sums.sum(axis=0))).T
    return _Ridge(kernel.rotated(vectors), np.maximum(values, 0), moment.astype(np.float32), prior.astype(np.float32))


def _held_out(
    ridge: _Ridge,
    penalty: float,
    features: Array,
    labels: NDArray[np.int32],
    order: NDArray[np.int64],
    ends: NDArray[np.int64],
    size: int,
) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Rows, and their scores ``(rows, classes)`` without them and their groups, some `size` at a time.

    `order` has the rows of one group side by side, and `ends` says where each group ends.
    """
    scale = (1 / np.sqrt(ridge.values + penalty)).astype(np.float32)
    weights = ridge.moment * scale[:, None]
    start = 0
    while start < len(order):
        first = int(np.searchsorted(ends, start, side="right"))
        last = max(int(np.searchsorted(ends, start + size, side="right")), first + 1)
        rows, bounds = order[start : ends[last - 1]], np.concatenate([[0], ends[first:last] - start])
        start = int(ends[last - 1])
        if len(rows) > max(size, len(scale)):
            yield from _without_a_large_group(ridge, scale, weights, features, labels, rows, size)
            continue
        mapped = ridge.kernel.map(features[rows]) * scale
        scores = mapped @ weights
        leverage = np.einsum("ij,ij->i", mapped, mapped)
        own = np.arange(len(rows)), labels[rows]
        together = np.flatnonzero(np.diff(bounds) > 1)
        several = [slice(bounds[k], bounds[k + 1]) for k in together]
        solved = [_without_each_other(mapped[g], scores[g], ridge.prior, labels[rows[g]]) for g in several]
        # target - (target - fitted) / (1 - leverage), and the target is one-hot less the prior
        scores += leverage[:, None] * ridge.prior
        scores[own] -= leverage
        scores /= (1 - leverage)[:, None]
        for g, held in zip(several, solved, strict=True):
            scores[g] = held
        yield rows, scores + ridge.prior


def _without_each_other(mapped: Array, fitted: Array, prior: Array, labels: NDArray[np.int32]) -> Array:
    """Leave a group out: the same formula with matrices, target - (1 - hat)^-1 (target - fitted)."""
    target = np.zeros(fitted.shape) - prior
    target[np.arange(len(labels)), labels] += 1
    hat = mapped.astype(np.float64) @ mapped.T
    held: Array = (target - np.linalg.solve(np.eye(len(hat)) - hat, target - fitted)).astype(np.float32)
    return held


def _without_a_large_group(
    ridge: _Ridge,
    scale: Array,
    weights: Array,
    features: Array,
    labels: NDArray[np.int32],
    rows: NDArray[np.int64],
    size: int,
) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Refit without a group that has more images than the kernel has dimensions; then its part must not be inverted."""
    rest, right = (1 + JITTER) * np.eye(len(scale)), weights.astype(np.float64)
    blocks = [rows[start : start + size] for start in range(0, len(rows), size)]
    for block in blocks:
        mapped = ridge.kernel.map(features[block]) * scale
        rest -= mapped.T.astype(np.float64) @ mapped
        right += np.outer(mapped.sum(axis=0), ridge.prior)
        np.subtract.at(right.T, labels[block], mapped)
    solution = cho_solve(cho_factor(rest), right).astype(np.float32)
    for block in blocks:
        yield block, ridge.kernel.map(features[block]) * scale @ solution + ridge.prior


def _some_groups(
    order: NDArray[np.int64], ends: NDArray[np.int64], images: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order and ends of whole groups, drawn until they hold about so many images."""
    starts = np.concatenate([[0], ends[:-1]])
    drawn = rng.permutation(len(ends))
    sizes = (ends - starts)[drawn]
    drawn = np.sort(drawn[: int(np.searchsorted(np.cumsum(sizes), images)) + 1])
    rows = np.concatenate([order[starts[g] : ends[g]] for g in drawn])
    return rows, np.cumsum((ends - starts)[drawn])


def _losses(logits: Array, labels: NDArray[np.int32]) -> Array:
    """Log loss of each row."""
    most = logits.max(axis=1, keepdims=True)
    losses: Array = np.log(np.exp(logits - most).sum(axis=1)) + most[:, 0] - logits[np.arange(len(labels)), labels]
    return losses


def softmax(logits: Array) -> Array:
    """Rows to probabilities."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
