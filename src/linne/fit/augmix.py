"""A picture blended with changed copies of itself: AugMix.

Hendrycks, Mu, Cubuk, Zoph, Gilmer, Lakshminarayanan: "AugMix: A Simple Data Processing Method to Improve Robustness and
Uncertainty", ICLR 2020 (arXiv 1912.02781), algorithm 1. Operations, ranges, severity and blending are those of
torchvision's `AugMix`, by operations on Pillow's pictures. The paper's loss of consistency is not part of it: it takes
three views of each image in every step.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from PIL import Image

from linne.fit.automatic import OPERATIONS, Fill, apply, strength

SEVERITY = 3
"""Of the ten steps of strength, the weakest so many are drawn."""

WIDTH = 3
"""Changed copies."""

DEPTHS = (1, 2, 3)
"""Operations that follow one another in a copy."""

CHANGES = tuple(operation for operation in OPERATIONS if operation != "identity")

Chain = Sequence[tuple[str, float]]
"""Operations and their strengths."""


def augmix(picture: Image.Image, rng: random.Random, fill: Fill) -> Image.Image:
    """Draw the copies and their shares, and blend.

    Parameters
    ----------
    picture : PIL.Image.Image
        Mode ``L`` or ``RGB``.
    rng : random.Random
    fill : list of float
        One intensity a channel, for what comes in from outside.
    """
    own = rng.random()  # Beta(1, 1)
    parts = [rng.expovariate(1) for _ in range(WIDTH)]  # divided by their sum: Dirichlet(1, 1, 1)
    shares = [(1 - own) * part / sum(parts) for part in parts]
    chains = [[_drawn(picture.size, rng) for _ in range(rng.choice(DEPTHS))] for _ in range(WIDTH)]
    return blend(picture, own, shares, chains, fill)


def _drawn(size: tuple[int, int], rng: random.Random) -> tuple[str, float]:
    operation = rng.choice(CHANGES)
    step, sign = rng.randrange(SEVERITY), rng.choice((-1, 1))
    return operation, strength(operation, "augmix", step, sign, size)


def blend(
    picture: Image.Image, own: float, shares: Sequence[float], chains: Sequence[Chain], fill: Fill
) -> Image.Image:
    """Add up a picture and its changed copies.

    Parameters
    ----------
    picture : PIL.Image.Image
    own : float
        Share of the picture as it is.
    shares : sequence of float
        Of the copies; 1 together with `own`.
    chains : sequence of sequence of (str, float)
        What each copy undergoes.
    fill : list of float
    """
    total = np.float32(own) * np.asarray(picture)
    for share, chain in zip(shares, chains, strict=True):
        copy = picture
        for operation, amount in chain:
            copy = apply(copy, operation, amount, fill, smooth=True)
        total += np.float32(share) * np.asarray(copy)
    return Image.fromarray(total.astype(np.uint8))
