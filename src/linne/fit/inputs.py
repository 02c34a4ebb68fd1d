"""Intensities of a training batch to a network's input, on the device that trains."""

from __future__ import annotations

import torch
from torch import Tensor

from linne.records.pixel_spec import PixelSpec


class Normaliser:
    """Does what `linne.pixels.prepare.normalise` does, to within the rounding of float32.

    What it gives holds until it is called again: new memory for each batch takes several times as long as the sums.

    Parameters
    ----------
    spec : PixelSpec
    device : torch.device
    """

    def __init__(self, spec: PixelSpec, device: torch.device) -> None:
        std = torch.tensor(spec.std)
        # One value a channel, over a whole row of pixels: long rows are what processors are fast at.
        self._scale = (1 / (255 * std)).repeat(spec.width).to(device)
        self._shift = (-torch.tensor(spec.mean) / std).repeat(spec.width).to(device)
        self._device = device
        self._inputs = torch.empty(0, device=device)

    def __call__(self, images: Tensor) -> Tensor:
        """``(batch, channels, height, width)`` uint8, channels last, to float32 of the same shape and layout."""
        batch, channels, height, width = images.shape
        rows = images.to(self._device, non_blocking=True).permute(0, 2, 3, 1).reshape(batch * height, width * channels)
        if len(self._inputs) < len(rows):
            self._inputs = torch.empty(rows.shape, device=self._device)
        inputs = self._inputs[: len(rows)].copy_(rows).mul_(self._scale).add_(self._shift)
        return inputs.view(batch, height, width, channels).permute(0, 3, 1, 2)
