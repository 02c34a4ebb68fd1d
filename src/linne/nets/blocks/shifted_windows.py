"""Attention within windows of a map that lie shifted in every second block.

Liu et al.: "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", ICCV 2021 (arXiv 2103.14030),
section 3.2 and figure 4.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.windows import filled, map_of, rolled_apart, windows_of


class ShiftedWindows(nn.Module):
    """Cut a map into windows, let the tokens of each attend to one another, and join them.

    A subclass says what queries, keys and values are, and which biases are added.

    Parameters
    ----------
    width, heads, window : int
        Channels; heads of attention; side of a window in tokens.
    shift : int
        How many tokens the windows lie further right and below, where a map has several.
    side : int
        Of the usual map, whose mask is computed once.
    """

    mask: Tensor
    scale: float | None = None
    """What products of queries and keys are multiplied by; None is one over the root of their length."""

    def __init__(self, width: int, heads: int, window: int, shift: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.shift = shift
        self.side = -(-side // window) * window
        self.project = nn.Linear(width, width)
        if shift:
            self.register_buffer("mask", rolled_apart(self.side, self.side, (shift, shift), window), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, rows, columns, width)`` to the same shape."""
        rows, columns = x.shape[1:3]
        x = filled(x, self.window)
        shifts = self._shifts(*x.shape[1:3])
        if any(shifts):
            x = torch.roll(x, (-shifts[0], -shifts[1]), (1, 2))
        query, key, value = self.query_key_value(windows_of(x, self.window))
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=self._biases_and_mask(x), scale=self.scale)
        x = map_of(out, self.window, *x.shape[1:3])
        if any(shifts):
            x = torch.roll(x, shifts, (1, 2))
        mixed: Tensor = self.project(x[:, :rows, :columns])
        return mixed

    def query_key_value(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(batch * windows, window ** 2, width)`` to three times ``(batch * windows, heads, window ** 2, c)``."""
        raise NotImplementedError

    def biases(self) -> Tensor:
        """Give what is added to the logit of each query and key: ``(1, heads, window ** 2, window ** 2)``."""
        raise NotImplementedError

    def _shifts(self, rows: int, columns: int) -> tuple[int, int]:
        """Down and across: none along a side that one window spans."""
        return self.shift if rows > self.window else 0, self.shift if columns > self.window else 0

    def _biases_and_mask(self, x: Tensor) -> Tensor:
        """Both in one tensor: ``(1 or batch * windows, heads, window ** 2, window ** 2)``."""
        biases = self.biases()
        batch, rows, columns = x.shape[:3]
        shifts = self._shifts(rows, columns)
        if not any(shifts):
            return biases
        usual = (rows, columns) == (self.side, self.side)
        mask = self.mask if usual else rolled_apart(rows, columns, shifts, self.window)
        biases = biases + mask.to(biases)  # (windows, heads, window ** 2, window ** 2)
        return biases.expand(batch, *biases.shape).flatten(0, 1)
