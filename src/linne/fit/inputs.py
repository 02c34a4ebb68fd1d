"""Intensities of training images to a network's input."""

from __future__ import annotations

import torch
from torch import Tensor

from linne.records.pixel_spec import PixelSpec


class Normaliser:
    """Does what `linne.pixels.prepare.normalise` does, to within the rounding of float32, for inputs of any size.

    Parameters
    ----------
    spec : PixelSpec
    device : torch.device
    """

    def __init__(self, spec: PixelSpec, device: torch.device) -> None:
        std = torch.tensor(spec.std)
        self._scale, self._shift = (1 / (255 * std)).to(device), (-torch.tensor(spec.mean) / std).to(device)
        self._rows: dict[int, tuple[Tensor, Tensor]] = {}
        self._device = device

    def __call__(self, images: Tensor) -> Tensor:
        """``(batch, channels, height, width)`` uint8, channels last, to float32 of the same shape and layout."""
        images = images.to(self._device, non_blocking=True)
        inputs = torch.empty_like(images, dtype=torch.float32)
        self.into(inputs, images)
        return inputs

    def into(self, inputs: Tensor, images: Tensor) -> None:
        """Write the inputs of some images, both channels last, to where a batch has them."""
        scale, shift = self._row(images.shape[3])
        out = inputs.permute(0, 2, 3, 1).flatten(2)
        out.copy_(images.permute(0, 2, 3, 1).flatten(2)).mul_(scale).add_(shift)

    def _row(self, width: int) -> tuple[Tensor, Tensor]:
        """One value a channel, over a whole row of pixels: long rows are what processors are fast at."""
        if width not in self._rows:  # inputs grow from epoch to epoch
            self._rows[width] = self._scale.repeat(width), self._shift.repeat(width)
        return self._rows[width]
