"""How the learning rate rises and falls."""

from __future__ import annotations

import math
from typing import Literal

Kind = Literal["cosine", "trapezoid"]

START = 0.02
"""The first steps are not for nothing."""

COOL_DOWN = 0.3
"""Share of a trapezoid over which the rate falls."""


def factor(kind: Kind, progress: float, warm_up: float) -> float:
    """Give the factor of the learning rate: a linear rise to 1, then a fall to 0.

    Parameters
    ----------
    kind : {'cosine', 'trapezoid'}
        'cosine' falls from the start on (Loshchilov and Hutter, "SGDR", ICLR 2017). 'trapezoid' stays at 1, and falls
        in a straight line at the end: as good, and what was trained up to there can be trained for longer (Hu et al.,
        "MiniCPM", COLM 2024, arXiv 2404.06395; Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed
        Training Durations", NeurIPS 2024, arXiv 2405.18392).
    progress : float
        How much of the training is done, in [0, 1]; whether steps or seconds are counted is the caller's to say.
    warm_up : float
        Share of the training in which the rate rises, in [0, 1).

    Returns
    -------
    float
        In [0, 1].
    """
    if progress < warm_up:
        return max(progress / warm_up, START)
    if kind == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min((progress - warm_up) / (1 - warm_up), 1)))
    return min(max((1 - progress) / min(COOL_DOWN, 1 - warm_up), 0.0), 1.0)
