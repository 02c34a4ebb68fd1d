"""The centre of a photo, or all of it? Decided by which features tell the classes apart better."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from linne.choose.sample import Sample
from linne.records.pixel_spec import PixelSpec

OBLONG = 1.15
"""Median ratio of the longer side to the shorter, from which on a square centre leaves out much."""

STEP = 32
"""Sides are multiples of it: networks halve them five times."""

MOST_PIXELS = 1.35
"""Of those of the square centre: sides are rounded."""

MOST_ROWS = 1024
MOST_SHARE = 0.4
"""Of a class, for deciding: its images will be trained on, whatever is decided, and there must be others to test on."""

SMALLEST_CLASS = 5
"""Images: of fewer none is taken."""

PENALTIES = np.geomspace(1e-3, 1e2, 11)
"""Of the ridge, over the mean eigenvalue."""

INTERCEPT = 1e6
"""Eigenvalue of the constant, over the mean one: it is hardly penalised. Without it, features that are centred tell the
class of an image that is left out: with all the others its features sum to zero, as the targets of as many images of
each class do."""


def whole_pictures(pixels: PixelSpec, sample: Sample) -> PixelSpec | None:
    """Give the spec that shows whole pictures in as many pixels; None where the centre is nearly all of them.

    The input has the shape that pictures have in the median, so that most are hardly distorted. None, too, of pictures
    so narrow that their input would have many more pixels.
    """
    ratio = float(np.exp(np.median([math.log(picture.height / picture.width) for picture in sample.pictures])))
    if pixels.fit != "crop" or pixels.height != pixels.width or max(ratio, 1 / ratio) < OBLONG:
        return None
    longer = STEP * round(pixels.height * math.sqrt(max(ratio, 1 / ratio)) / STEP)
    shorter = max(STEP, STEP * round(pixels.height**2 / longer / STEP))
    if longer * shorter > MOST_PIXELS * pixels.height**2:
        return None
    height, width = (longer, shorter) if ratio > 1 else (shorter, longer)
    return replace(pixels, height=height, width=width, fit="stretch", resize=max(height, width))


def rows_to_decide_by(
    candidates: NDArray[np.int64], groups: NDArray[np.int64], labels: NDArray[np.int32], seed: int
) -> NDArray[np.int64]:
    """Draw the images by which it is decided, in order, from rows that may be trained on.

    `groups` and `labels` are those of the candidates: of each class the groups that are drawn are taken whole, but for
    the last.
    """
    rng = np.random.default_rng((seed, 7))
    _, group = np.unique(groups, return_inverse=True)
    _, label, images = np.unique(labels, return_inverse=True, return_counts=True)
    shuffled = rng.permutation(len(candidates))
    turn = rng.permutation(group.max(initial=-1) + 1)
    order = shuffled[np.argsort(turn[group[shuffled]], kind="stable")]
    most = np.where(images < SMALLEST_CLASS, 0, (MOST_SHARE * images).astype(np.int64))
    by_class = order[np.argsort(label[order], kind="stable")]
    rank = np.empty(len(order), np.int64)  # of each candidate among those of its class
    rank[by_class] = np.arange(len(order)) - np.repeat(np.cumsum(images) - images, images)
    drawn = order[rank[order] < most[label[order]]]
    return np.sort(candidates[drawn[:MOST_ROWS]])


def told_apart(features: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """Share of images whose class a ridge classifier on all the others gets right, with the best of its penalties.

    One decomposition gives the answers for every penalty and every image that is left out: Rifkin and Lippert,
    "Notes on Regularized Least Squares", MIT-CSAIL-TR-2007-025, section 3.
    """
    scaled = (features - features.mean(0)) / (features.std(0) + 1e-6)
    products = (scaled @ scaled.T).astype(np.float64)
    mean = max(products.trace() / len(products), 1e-12)
    values, vectors = eigh(products + INTERCEPT * mean / len(products))
    targets = 2.0 * (labels[:, None] == np.unique(labels)) - 1
    truth = targets.argmax(1)
    turned = vectors.T @ targets
    best = 0.0
    for penalty in PENALTIES * mean:
        inverse = 1 / (np.maximum(values, 0) + penalty)
        coefficients = vectors @ (inverse[:, None] * turned)
        diagonal = (vectors**2) @ inverse
        left_out = targets - coefficients / diagonal[:, None]
        best = max(best, float((left_out.argmax(1) == truth).mean()))
    return best
