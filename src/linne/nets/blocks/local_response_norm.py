"""Local response normalisation: a map counts less where its neighbours are strong.

Krizhevsky, Sutskever, Hinton: "ImageNet Classification with Deep Convolutional Neural Networks", NeurIPS 2012,
section 3.3.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class LocalResponseNorm(nn.Module):
    """Divide each map by ``(k + alpha * sum of squares) ** 0.75``, over a window of maps around it.

    The squares are summed up by adding shifted maps, and the power is two square roots. `torch.nn.LocalResponseNorm`
    pools in three dimensions and takes two to four times as long (`benchmarks/blocks.py`); its alpha is `window` times
    this one, as it multiplies the mean.

    Parameters
    ----------
    window : int
        Maps that are summed up, an odd number.
    alpha, k : float
    """

    def __init__(self, window: int, alpha: float, k: float) -> None:
        super().__init__()
        self.window = window
        self.alpha = alpha
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, maps, h, w)`` to the same shape."""
        maps, around = x.shape[1], self.window // 2
        squares = F.pad(x * x, (0, 0, 0, 0, around, around))
        total = squares[:, :maps].clone()
        for first in range(1, self.window):
            total += squares[:, first : first + maps]
        total = total * self.alpha + self.k
        return x * (total * total.sqrt()).rsqrt()
