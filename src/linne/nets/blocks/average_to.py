"""A map of any size, averaged to the size that a dense layer takes."""

from __future__ import annotations

import torch
from torch import Tensor


def average_to(x: Tensor, side: int) -> Tensor:
    """Average a map over cells, or repeat it where it is smaller.

    Parameters
    ----------
    x : (batch, channels, h, w) Tensor
    side : int
        Wanted height and width.

    Returns
    -------
    (batch, channels, side, side) Tensor
        The same values as ``adaptive_avg_pool2d(x, side)``, which ONNX can express only where `side` divides the map's
        own: so it is two matrix products with constant matrices.
    """
    height, width = int(x.shape[2]), int(x.shape[3])
    if height == width == side:
        return x
    down = torch.tensor(_cells(height, side), dtype=x.dtype, device=x.device)
    across = torch.tensor(_cells(width, side), dtype=x.dtype, device=x.device)
    return down @ x @ across.T


def _cells(given: int, wanted: int) -> list[list[float]]:
    """Weights ``(wanted, given)``: cell i goes from floor(i given / wanted) to ceil((i + 1) given / wanted)."""
    rows = []
    for i in range(wanted):
        start, stop = i * given // wanted, -(-(i + 1) * given // wanted)
        rows.append([1 / (stop - start) if start <= j < stop else 0.0 for j in range(given)])
    return rows
