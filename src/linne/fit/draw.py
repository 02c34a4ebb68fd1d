"""What is drawn for a view of a photo, before a pixel is touched: the same wherever the view is cut."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from linne.fit.policy import Policy
from linne.records.pixel_spec import PixelSpec

Box = tuple[float, float, float, float]
"""Left, top, width, height."""

CROP_RATIO = (3 / 4, 4 / 3)


@dataclass(frozen=True, slots=True)
class Draw:
    """One view of a photo.

    Attributes
    ----------
    box : (left, top, width, height)
        What is cut out, in pixels of the picture.
    colour : tuple of float
        Factors of brightness, contrast and, in colour, saturation; empty where they stay.
    flip : bool
        Mirrored.
    """

    box: Box
    colour: tuple[float, ...]
    flip: bool


def rng_of(seed: int, epoch: int, row: int, turn: int = 0) -> random.Random:
    """Give the randomness of one view, an image's first in the epoch or a later turn.

    Not NumPy's, whose generators take longer to seed than a crop takes to cut.
    """
    return random.Random(seed << 128 | turn << 96 | epoch << 64 | row)  # noqa: S311 - augmentation keeps no secrets


def draw(width: int, height: int, spec: PixelSpec, policy: Policy, rng: random.Random) -> Draw:
    """Draw a view of a picture of some size.

    Parameters
    ----------
    width, height : int
        Of the picture.
    spec : PixelSpec
    policy : Policy
    rng : random.Random
        Of this view alone, from `rng_of`.
    """
    box = crop_box(width, height, policy.area, rng, spec.width / spec.height)
    colour: tuple[float, ...] = ()
    if policy.colour:
        low, high = 1 - policy.colour, 1 + policy.colour
        colour = tuple(rng.uniform(low, high) for _ in range(3 if spec.channels == 3 else 2))
    return Draw(box, colour, policy.flip and rng.random() < 0.5)


def crop_box(width: int, height: int, share: tuple[float, float], rng: random.Random, shape: float = 1.0) -> Box:
    """Draw a part of a picture (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 6).

    Parameters
    ----------
    width, height : int
        Of the picture.
    share : (low, high)
        Of its area, in (0, 1].
    rng : random.Random
    shape : float
        Width of the input over its height.

    Returns
    -------
    (left, top, width, height)
        Inside the picture; its sides have a ratio in `CROP_RATIO` times `shape`. After ten tries that do not fit, the
        largest of that shape in the middle.
    """
    for _ in range(10):
        area = width * height * rng.uniform(*share)
        ratio = shape * math.exp(rng.uniform(math.log(CROP_RATIO[0]), math.log(CROP_RATIO[1])))
        crop_width, crop_height = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if crop_width <= width and crop_height <= height:
            left, top = rng.uniform(0, width - crop_width), rng.uniform(0, height - crop_height)
            return left, top, crop_width, crop_height
    crop_width, crop_height = min(width, height * shape), min(height, width / shape)
    return (width - crop_width) / 2, (height - crop_height) / 2, crop_width, crop_height


def whole_pixels(box: Box, down: float, across: float, height: int, width: int) -> tuple[int, int, int, int]:
    """Round a box to the pixels of a picture that was decoded smaller.

    Parameters
    ----------
    box : (left, top, width, height)
        In pixels of the whole picture.
    down, across : float
        Height and width of the decoded picture, as shares of the whole one's.
    height, width : int
        Of the decoded picture.

    Returns
    -------
    (left, top, width, height)
        In pixels of the decoded picture: at least one, all inside it.
    """
    left, top, box_width, box_height = box
    y, x = min(int(top * down), height - 1), min(int(left * across), width - 1)
    tall, wide = max(1, round(box_height * down)), max(1, round(box_width * across))
    return x, y, min(wide, width - x), min(tall, height - y)
