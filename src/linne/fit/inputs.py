"""Intensities of training images to a network's input."""

from __future__ import annotations

import torch
from torch import Tensor

from linne.records.pixel_spec import PixelSpec


class Normaliser:
    """Does what `linne.pixels.prepare.normalise` does, to within the rounding of float32.

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

    def __call__(self, images: Tensor) -> Tensor:
        """``(batch, channels, height, width)`` uint8, channels last, to float32 of the same shape and layout."""
        images = images.to(self._device, non_blocking=True)
        inputs = torch.empty_like(images, dtype=torch.float32)
        self.into(inputs, images)
        return inputs

    def into(self, inputs: Tensor, images: Tensor) -> None:
        """Write the inputs of some images, both channels last, to where a batch has them."""
        out = inputs.permute(0, 2, 3, 1).flatten(2)
        out.copy_(images.permute(0, 2, 3, 1).flatten(2)).mul_(self._scale).add_(self._shift)
