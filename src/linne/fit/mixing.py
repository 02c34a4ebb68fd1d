"""Two images in one, and both labels: MixUp and CutMix.

Zhang, Cisse, Dauphin, Lopez-Paz: "mixup: Beyond Empirical Risk Minimization", ICLR 2018 (arXiv 1710.09412). Yun, Han,
Oh, Chun, Choe, Yoo: "CutMix", ICCV 2019 (arXiv 1905.04899).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from linne.fit.draw import rng_of

MIXUP_ALPHA, CUTMIX_ALPHA = 0.2, 1.0
"""Of the Beta distributions, as the papers have them for ImageNet."""

_STREAM = 1 << 63
"""Draws for a batch are not those for the image of the same number."""


@dataclass(frozen=True, slots=True)
class Mix:
    """How each image of a batch is mixed with the one before it.

    Attributes
    ----------
    share : float
        Of the image itself, in [0, 1]; the other has the rest.
    box : (top, left, bottom, right) or None
        What is the other's, as shares of the sides; None lays both over each other.
    """

    share: float
    box: tuple[float, float, float, float] | None

    def images(self, images: Tensor, others: Tensor) -> tuple[Tensor, float]:
        """Mix ``(batch, channels, height, width)`` floats; gives what each has of itself too, to whole pixels."""
        if self.box is None:
            return images.lerp(others, 1 - self.share), self.share
        height, width = images.shape[2:]
        top, left, bottom, right = (
            int(share * side) for share, side in zip(self.box, (height, width, height, width), strict=True)
        )
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
        return mixed, 1 - (bottom - top) * (right - left) / (height * width)


def mix_of(seed: int, epoch: int, batch: int) -> Mix:
    """Draw how a batch is mixed: by MixUp or by CutMix, each every second time in the mean."""
    rng = rng_of(seed, epoch, _STREAM + batch)
    if rng.random() < 0.5:
        return Mix(rng.betavariate(MIXUP_ALPHA, MIXUP_ALPHA), None)
    share = rng.betavariate(CUTMIX_ALPHA, CUTMIX_ALPHA)
    half = 0.5 * math.sqrt(1 - share)
    y, x = rng.random(), rng.random()
    box = (max(y - half, 0), max(x - half, 0), min(y + half, 1), min(x + half, 1))
    return Mix(share, box)
