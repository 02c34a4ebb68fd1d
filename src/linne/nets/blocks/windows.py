"""Windows of a map, and what is added to attention within them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

APART = -100.0
"""Added to the attention between tokens that are neighbours only because the map was rolled."""


def filled(x: Tensor, multiple: int) -> Tensor:
    """Fill ``(batch, rows, columns, channels)`` right and below with zeros, up to multiples."""
    below, right = -x.shape[1] % multiple, -x.shape[2] % multiple
    return F.pad(x, (0, 0, 0, right, 0, below)) if below or right else x


def windows_of(x: Tensor, window: int) -> Tensor:
    """Cut ``(batch, rows, columns, channels)`` into ``(batch * windows, window ** 2, channels)``."""
    rows, columns, channels = x.shape[1:]
    cut = x.reshape(-1, rows // window, window, columns // window, window, channels)
    return cut.permute(0, 1, 3, 2, 4, 5).reshape(-1, window**2, channels)


def map_of(windows: Tensor, window: int, rows: int, columns: int) -> Tensor:
    """Join heads and windows, in one copy.

    Parameters
    ----------
    windows : (batch * windows, heads, window ** 2, channels of a head) Tensor
    window, rows, columns : int

    Returns
    -------
    (batch, rows, columns, channels) Tensor
    """
    heads, width = windows.shape[1], windows.shape[3]
    cut = windows.reshape(-1, rows // window, columns // window, heads, window, window, width)
    return cut.permute(0, 1, 4, 2, 5, 3, 6).reshape(-1, rows, columns, heads * width)


def biases_of_pairs(table: Tensor, height: int, width: int, stride: int = 1) -> Tensor:
    """Give a bias to each pair of places.

    The table holds the offsets from query to key, from ``1 - height`` on. So the biases of one query are a part cut
    from it, and those of the first query its last: a view, turned round by one copy, where an index of every pair would
    be looked up in each pass and scattered back in each backward pass.

    Parameters
    ----------
    table : (heads, 2 * height - 1, 2 * width - 1) Tensor
    height, width : int
    stride : int
        Queries are in every `stride`-th row and column, from the first on.

    Returns
    -------
    (1, heads, queries, height * width) Tensor
        For each query, each key.
    """
    top, left = (height - 1) % stride, (width - 1) % stride
    parts = table[:, top:, left:].unfold(1, height, stride).unfold(2, width, stride)
    return parts.flip(1, 2).flatten(3).flatten(1, 2)[None]


def offsets_of_distances(table: Tensor) -> Tensor:
    """Mirror ``(heads, height, width)``, by distance, to ``(heads, 2 * height - 1, 2 * width - 1)``, by offset."""
    # Not by padding, whose sizes an export to ONNX does not know.
    table = torch.cat([table[:, 1:].flip(1), table], dim=1)
    return torch.cat([table[:, :, 1:].flip(2), table], dim=2)


def rolled_apart(rows: int, columns: int, shifts: tuple[int, int], window: int) -> Tensor:
    """Keep tokens apart that are in one window only because the map was rolled.

    They are in the last windows, down and across: their last tokens come from the other edge.

    Returns
    -------
    (windows, 1, window ** 2, window ** 2) Tensor
        0, or `APART`; on the CPU.
    """
    below = torch.arange(rows, device="cpu") >= rows - shifts[0]
    right = torch.arange(columns, device="cpu") >= columns - shifts[1]
    regions = below[:, None] * 2 + right * 1
    regions = windows_of(regions[None, :, :, None], window)  # (windows, window ** 2, 1)
    return (regions != regions.transpose(1, 2)).unsqueeze(1) * APART
