"""Random erasing: a rectangle of noise.

Zhong, Zheng, Kang, Li, Yang: "Random Erasing Data Augmentation", AAAI 2020 (arXiv 1708.04896), section 3.2, with random
values, which did best (table 4).
"""

from __future__ import annotations

import math
import random

import torch
from torch import Tensor

AREA = (0.02, 0.33)
RATIO = (0.3, 3.3)
TRIES = 10


def erase(out: Tensor, rng: random.Random) -> None:
    """Put noise into a rectangle of ``(1, channels, height, width)`` uint8, in place."""
    _, channels, height, width = out.shape
    for _ in range(TRIES):
        area = height * width * rng.uniform(*AREA)
        ratio = math.exp(rng.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        tall, wide = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < tall < height and 0 < wide < width:
            top, left = rng.randint(0, height - tall), rng.randint(0, width - wide)
            noise = bytearray(rng.randbytes(tall * wide * channels))
            values = torch.frombuffer(noise, dtype=torch.uint8).reshape(1, tall, wide, channels)
            out[:, :, top : top + tall, left : left + wide] = values.permute(0, 3, 1, 2)
            return
