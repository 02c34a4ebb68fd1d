"""What is drawn for a recipe before it trains: a row a view, and a row a step; `lanes.py` reads them."""

from __future__ import annotations

import math

import numpy as np
from lanes import DECAY, FIRST, PATCH, RATE, SECOND, SHARE, SMOOTHING, STEPPED
from numpy.typing import NDArray
from recipe_list import Config
from table_views import AFFINE, BOX, COLOUR, DRAWN, ERASED, FLIP, TONES

Floats = NDArray[np.float32]


def draws(config: Config, sizes: Floats, rng: np.random.Generator) -> Floats:
    """(views, DRAWN) of what is drawn for photos of (views, 2) heights and widths."""
    n, (height, width) = len(sizes), sizes.T
    drawn = np.zeros((n, DRAWN), np.float32)
    boxes = np.stack(
        (
            (width - np.minimum(height, width)) / 2,
            (height - np.minimum(height, width)) / 2,
            np.minimum(height, width),
            np.minimum(height, width),
        ),
        1,
    )
    tall, wide = (np.ones(n), np.ones(n)) if config.stretched else (height, width)
    todo = np.arange(n)
    for _ in range(10):
        area = rng.uniform(*config.area, len(todo)) * tall[todo] * wide[todo]
        ratio = np.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3), len(todo)))
        across, down = np.sqrt(area * ratio), np.sqrt(area / ratio)
        fits = (across <= wide[todo]) & (down <= tall[todo])
        good, across, down = todo[fits], across[fits], down[fits]
        if config.stretched:
            across, down = across * width[good], down * height[good]
        left, top = rng.random(len(good)) * (width[good] - across), rng.random(len(good)) * (height[good] - down)
        boxes[good] = np.stack((left, top, across, down), 1)
        todo = todo[~fits]
    drawn[:, BOX], drawn[:, FLIP] = boxes, rng.random(n) < 0.5
    drawn[:, COLOUR] = rng.uniform(1 - config.colour, 1 + config.colour, (n, 3))
    drawn[:, AFFINE], drawn[:, TONES] = (1, 0, 0, 0, 1, 0), (1000, 0, 1, 0)
    erased = rng.random(n) < config.erase
    area, ratio = rng.uniform(0.02, 0.33, n), np.exp(rng.uniform(math.log(0.3), math.log(3.3), n))
    wide, tall = np.minimum(np.sqrt(area * ratio), 0.99), np.minimum(np.sqrt(area / ratio), 0.99)
    left, top = rng.random(n) * (1 - wide), rng.random(n) * (1 - tall)
    drawn[:, ERASED] = np.where(erased[:, None], np.stack((left, top, left + wide, top + tall), 1), 0)
    if config.trivial:
        _trivial(drawn, rng)
    return drawn


def _trivial(drawn: Floats, rng: np.random.Generator) -> None:
    """TrivialAugment (Muller and Hutter, ICCV 2021): one of 14 changes, of any strength; none stands for equalising."""
    n = len(drawn)
    change, strength, sign = rng.integers(0, 14, n), rng.random(n), rng.choice((-1, 1), n)
    signed = strength * sign
    turn = np.radians(135 * signed)
    affine, tones, colour = drawn[:, AFFINE], drawn[:, TONES], drawn[:, COLOUR]
    for number, column in ((1, 1), (2, 3)):
        affine[change == number, column] = 0.99 * signed[change == number]
    for number, column in ((3, 2), (4, 5)):
        affine[change == number, column] = 0.29 * signed[change == number]  # 32 of 224 pixels, as shares of half a side
    turned = np.stack((np.cos(turn), -np.sin(turn), 0 * turn, np.sin(turn), np.cos(turn), 0 * turn), 1)
    affine[change == 5] = turned[change == 5]
    for number in (6, 7, 8):
        colour[change == number, number - 6] = 1 + 0.99 * signed[change == number]
    tones[change == 9, 0] = 255 * (1 - strength[change == 9])
    tones[change == 10, 1] = 2.0 ** np.round(6 * strength[change == 10])
    tones[change == 11, 2] = 1 + 0.99 * signed[change == 11]
    tones[change == 12, 3] = 1
    drawn[:, AFFINE], drawn[:, TONES], drawn[:, COLOUR] = affine, tones, colour


def stepped(config: Config, steps: int, rng: np.random.Generator) -> Floats:
    """(steps, STEPPED) of what holds for each step."""
    table = np.zeros((steps, STEPPED), np.float32)
    progress, count = np.arange(steps) / steps, np.arange(1, steps + 1)
    falling = 0.5 * (1 + np.cos(math.pi * np.clip((progress - 0.1) / 0.9, 0, 1)))
    table[:, RATE] = config.rate * np.where(progress < 0.1, np.maximum(progress / 0.1, 0.02), falling)
    table[:, DECAY], table[:, SMOOTHING], table[:, SHARE] = config.decay, config.smoothing, 1
    table[:, FIRST], table[:, SECOND] = 1 - 0.9**count, 1 - 0.999**count
    if config.mixing:
        laid = rng.random(steps) < 0.5
        half = 0.5 * np.sqrt(1 - rng.beta(1, 1, steps))
        x, y = rng.random(steps), rng.random(steps)
        patch = np.clip(np.stack((x - half, y - half, x + half, y + half), 1), 0, 1)
        table[:, SHARE] = np.where(laid, rng.beta(0.2, 0.2, steps), 1)
        table[:, PATCH] = np.where(laid[:, None], 0, patch)
    return table
