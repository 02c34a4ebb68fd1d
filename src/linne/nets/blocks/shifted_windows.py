"""Windows of a map that lie shifted in every second block.

Liu et al.: "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", ICCV 2021 (arXiv 2103.14030),
section 3.2 and figure 4.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linne.nets.blocks.windows import filled, map_of, rolled_apart, windows_of


class ShiftedWindows(nn.Module):
    """Cut a map into windows, keep apart what the shift brings together, and join the windows again.

    Has no parameters; along a side that one window spans there is no shift.

    Parameters
    ----------
    window : int
        Side of a window in tokens.
    shift : int
        How many tokens the windows lie further right and below, where a map has several.
    side : int
        Of the usual map, whose mask is computed once.
    """

    mask: Tensor

    def __init__(self, window: int, shift: int, side: int) -> None:
        super().__init__()
        self.window = window
        self.shift = shift
        self.side = -(-side // window) * window
        if shift:
            self.register_buffer("mask", rolled_apart(self.side, self.side, (shift, shift), window), persistent=False)

    def cut(self, x: Tensor) -> Tensor:
        """``(batch, rows, columns, channels)`` to ``(batch * windows, window ** 2, channels)``, zeros at the end."""
        x = filled(x, self.window)
        down, across = self._shifts(*x.shape[1:3])
        if down or across:
            x = torch.roll(x, (-down, -across), (1, 2))
        return windows_of(x, self.window)

    def masked(self, biases: Tensor, shape: torch.Size) -> Tensor:
        """Add the mask to the biases of one window, for a map of `shape`.

        Parameters
        ----------
        biases : (1, heads, window ** 2, window ** 2) Tensor
        shape : torch.Size
            ``(batch, rows, columns, channels)``.

        Returns
        -------
        (1 or batch * windows, heads, window ** 2, window ** 2) Tensor
        """
        rows, columns = self._filled_sides(shape)
        shifts = self._shifts(rows, columns)
        if not any(shifts):
            return biases
        usual = (rows, columns) == (self.side, self.side)
        mask = self.mask if usual else rolled_apart(rows, columns, shifts, self.window)
        biases = biases + mask.to(biases)  # (windows, heads, window ** 2, window ** 2)
        return biases.expand(shape[0], *biases.shape).flatten(0, 1)

    def join(self, heads: Tensor, shape: torch.Size) -> Tensor:
        """``(batch * windows, heads, window ** 2, c)`` to a map of `shape`, ``(batch, rows, columns, heads * c)``."""
        rows, columns = self._filled_sides(shape)
        x = map_of(heads, self.window, rows, columns)
        down, across = self._shifts(rows, columns)
        if down or across:
            x = torch.roll(x, (down, across), (1, 2))
        return x[:, : shape[1], : shape[2]]

    def _filled_sides(self, shape: torch.Size) -> tuple[int, int]:
        # Not by negative numbers: a trace to ONNX divides these towards zero.
        rows, columns = (side + self.window - 1 for side in shape[1:3])
        return rows // self.window * self.window, columns // self.window * self.window

    def _shifts(self, rows: int, columns: int) -> tuple[int, int]:
        return self.shift if rows > self.window else 0, self.shift if columns > self.window else 0
