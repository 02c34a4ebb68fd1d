"""A picture blended with changed copies of itself: AugMix.

Hendrycks, Mu, Cubuk, Zoph, Gilmer, Lakshminarayanan: "AugMix: A Simple Data Processing Method to Improve Robustness and
Uncertainty", ICLR 2020 (arXiv 1912.02781), algorithm 1. Operations, ranges, severity and blending are those of
torchvision's `AugMix`, by operations on Pillow's pictures. The paper's loss of consistency is not part of it: it takes
three views of each image in every step.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Blend:
    """How a picture is blended.

    Attributes
    ----------
    own : float
        Share of the picture as it is.
    shares : tuple of float
        Of the changed copies; 1 together with `own`.
    chains : tuple of tuple of (str, float)
        Operations that each copy undergoes, and their strengths.
    """

    own: float
    shares: tuple[float, ...]
    chains: tuple[tuple[tuple[str, float], ...], ...]


def augmix(picture: Image.Image, rng: random.Random, fill: Fill) -> Image.Image:
    """Blend as is drawn.

    Parameters
    ----------
    picture : PIL.Image.Image
        Mode ``L`` or ``RGB``.
    rng : random.Random
    fill : list of float
        One intensity a channel, for what comes in from outside.
    """
    return blend(picture, drawn(picture.size, rng), fill)


def drawn(size: tuple[int, int], rng: random.Random) -> Blend:
    """Draw for a picture of ``(width, height)``."""
    own = rng.random()  # Beta(1, 1)
    parts = [rng.expovariate(1) for _ in range(WIDTH)]  # divided by their sum: Dirichlet(1, 1, 1)
    chains = tuple(tuple(_operation(size, rng) for _ in range(rng.choice(DEPTHS))) for _ in range(WIDTH))
    return Blend(own, tuple((1 - own) * part / sum(parts) for part in parts), chains)


def _operation(size: tuple[int, int], rng: random.Random) -> tuple[str, float]:
    operation = rng.choice(CHANGES)
    step, sign = rng.randrange(SEVERITY), rng.choice((-1, 1))
    return operation, strength(operation, "augmix", step, sign, size)


def blend(picture: Image.Image, how: Blend, fill: Fill) -> Image.Image:
    """Add up a picture and its changed copies, each times its share."""
    total = np.float32(how.own) * np.asarray(picture)
    for share, chain in zip(how.shares, how.chains, strict=True):
        copy = picture
        for operation, amount in chain:
            copy = apply(copy, operation, amount, fill, smooth=True)
        total += np.float32(share) * np.asarray(copy)
    return Image.fromarray(total.astype(np.uint8))
