"""Changes of geometry and colour drawn at random: TrivialAugment and RandAugment, and what AugMix has of them.

Müller, Hutter: "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation", ICCV 2021 (one operation of any
strength, the wide ranges of its table 2). Cubuk, Zoph, Shlens, Le: "RandAugment", NeurIPS 2020 (two operations of one
strength). Operations and ranges are torchvision's; the draws are not, since its classes draw from one generator for all
threads. By `torchvision.transforms.v2` on Pillow's pictures, which takes a fifth of the time of tensors.
"""

from __future__ import annotations

import math
import random
from typing import Literal

from PIL import Image

from linne.fit.functional import transforms
from linne.records.recipe import Automatic

Fill = list[float]

BINS: dict[Automatic, int] = {"trivial": 31, "rand": 31, "augmix": 10}
"""Strengths are chosen from so many steps."""

RAND_OPERATIONS, RAND_STEP = 2, 9
"""How many, and how strong of `BINS`: what the paper found for ImageNet, and what torchvision takes."""

EITHER_WAY: dict[str, dict[Automatic, float]] = {
    "shear_x": {"trivial": 0.99, "rand": 0.3, "augmix": 0.3},
    "shear_y": {"trivial": 0.99, "rand": 0.3, "augmix": 0.3},
    "translate_x": {"trivial": 32, "rand": 150 / 331, "augmix": 1 / 3},  # shares of the side, but for TrivialAugment
    "translate_y": {"trivial": 32, "rand": 150 / 331, "augmix": 1 / 3},
    "rotate": {"trivial": 135, "rand": 30, "augmix": 30},
    "brightness": {"trivial": 0.99, "rand": 0.9, "augmix": 0.9},
    "colour": {"trivial": 0.99, "rand": 0.9, "augmix": 0.9},
    "contrast": {"trivial": 0.99, "rand": 0.9, "augmix": 0.9},
    "sharpness": {"trivial": 0.99, "rand": 0.9, "augmix": 0.9},
}
"""The strongest of operations that have a sign."""

POSTERIZED_BITS: dict[Automatic, tuple[int, int]] = {"trivial": (8, 2), "rand": (8, 4), "augmix": (4, 0)}
"""What is left of eight at the weakest and the strongest."""

OPERATIONS = ("identity", *EITHER_WAY, "posterize", "solarize", "autocontrast", "equalize")


def automatic(picture: Image.Image, kind: Literal["trivial", "rand"], rng: random.Random, fill: Fill) -> Image.Image:
    """Change a picture by operations that are drawn.

    Parameters
    ----------
    picture : PIL.Image.Image
        Mode ``L`` or ``RGB``.
    kind : {'trivial', 'rand'}
    rng : random.Random
    fill : list of float
        One intensity a channel, for what comes in from outside.
    """
    for _ in range(1 if kind == "trivial" else RAND_OPERATIONS):
        operation = rng.choice(OPERATIONS)
        step = rng.randrange(BINS[kind]) if kind == "trivial" else RAND_STEP
        sign = rng.choice((-1, 1))
        picture = apply(picture, operation, strength(operation, kind, step, sign, picture.size), fill)
    return picture


def strength(operation: str, kind: Automatic, step: int, sign: int, size: tuple[int, int]) -> float:
    """Give an operation's strength at a step from 0 to ``BINS[kind] - 1``, for a picture of ``(width, height)``."""
    share = step / (BINS[kind] - 1)
    if operation == "posterize":
        weakest, strongest_bits = POSTERIZED_BITS[kind]
        return weakest - round(share * (weakest - strongest_bits))
    if operation == "solarize":
        return 255 * (1 - share)
    if operation not in EITHER_WAY:
        return 0.0
    strongest = EITHER_WAY[operation][kind]
    if kind != "trivial" and operation.startswith("translate"):
        strongest *= size[operation == "translate_y"]
    return sign * share * strongest


def apply(picture: Image.Image, operation: str, amount: float, fill: Fill, smooth: bool = False) -> Image.Image:
    """Do one operation; `smooth` turns and shifts bilinearly, not by the nearest pixel."""
    functional = transforms()
    resampling = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    changed: Image.Image = picture
    match operation:
        case "shear_x" | "shear_y":
            angle = math.degrees(math.atan(amount))
            shear = [angle, 0.0] if operation == "shear_x" else [0.0, angle]
            changed = functional.affine(picture, 0.0, [0, 0], 1.0, shear, resampling, fill, [0, 0])
        case "translate_x" | "translate_y":
            translate = [int(amount), 0] if operation == "translate_x" else [0, int(amount)]
            changed = functional.affine(picture, 0.0, translate, 1.0, [0.0, 0.0], resampling, fill)
        case "rotate":
            changed = functional.rotate(picture, amount, resampling, fill=fill)
        case "brightness":
            changed = functional.adjust_brightness(picture, 1 + amount)
        case "colour":
            changed = functional.adjust_saturation(picture, 1 + amount)
        case "contrast":
            changed = functional.adjust_contrast(picture, 1 + amount)
        case "sharpness":
            changed = functional.adjust_sharpness(picture, 1 + amount)
        case "posterize":
            changed = functional.posterize(picture, int(amount))
        case "solarize":
            changed = functional.solarize(picture, amount)
        case "autocontrast":
            changed = functional.autocontrast(picture)
        case "equalize":
            changed = functional.equalize(picture)
    return changed
