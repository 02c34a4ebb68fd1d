"""Learned tables over places, for a grid of another size; images, for whole patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

KEYS = -0.5
"""Of Keys' cubic kernel, as Pillow and PyTorch take it where they antialias."""


def resample(table: Tensor, height: int, width: int) -> Tensor:
    """Resample a table over places, bicubic and antialiased.

    Parameters
    ----------
    table : (..., h, w) Tensor
    height, width : int
        Wanted places.

    Returns
    -------
    (..., height, width) Tensor
        The same values as ``interpolate(mode="bicubic", antialias=True)``. It is two matrix products with constant
        matrices, so that it is exported and compiled like the rest.
    """
    if table.shape[-2:] == (height, width):
        return table
    down = torch.tensor(_cubic(table.shape[-2], height), dtype=table.dtype, device=table.device)
    across = torch.tensor(_cubic(table.shape[-1], width), dtype=table.dtype, device=table.device)
    return down @ table @ across.T


def resample_positions(positions: Tensor, before: int, side: int, rows: int, columns: int) -> Tensor:
    """Resample the positions of tokens, the first of which lie on no grid.

    Parameters
    ----------
    positions : (1, before + side * side, width) Tensor
    before : int
        Tokens before those of the grid, class tokens and the like: they keep their positions.
    side : int
        Of the grid that positions are learned for.
    rows, columns : int
        Wanted grid.

    Returns
    -------
    (1, before + rows * columns, width) Tensor
    """
    if (rows, columns) == (side, side):
        return positions
    first, rest = positions[:, :before], positions[:, before:]
    grid = rest.transpose(1, 2).reshape(1, -1, side, side)
    return torch.cat([first, resample(grid, rows, columns).flatten(2).transpose(1, 2)], dim=1)


def whole_patches(images: Tensor, patch: int) -> Tensor:
    """Fill ``(batch, channels, h, w)`` right and below with zeros, the mean colour, up to multiples of `patch`."""
    below, right = (-side % patch for side in images.shape[2:])
    return F.pad(images, (0, right, 0, below)) if below or right else images


def _cubic(given: int, wanted: int) -> list[list[float]]:
    """Weights ``(wanted, given)`` of the cubic kernel, stretched where there are fewer places than before."""
    scale = given / wanted
    stretch = max(1.0, scale)
    rows = []
    for i in range(wanted):
        centre = scale * (i + 0.5)
        row = [_kernel((j + 0.5 - centre) / stretch) for j in range(given)]
        total = sum(row)
        rows.append([value / total for value in row])
    return rows


def _kernel(x: float) -> float:
    x = abs(x)
    if x < 1:
        return ((KEYS + 2) * x - (KEYS + 3)) * x * x + 1
    if x < 2:
        return KEYS * (((x - 5) * x + 8) * x - 4)
    return 0.0
