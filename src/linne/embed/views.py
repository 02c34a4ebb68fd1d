"""Features of several views of an image, averaged: its mirror image, its corners."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from linne.records.errors import LinneError
from linne.records.pixel_spec import PixelSpec

VIEWS = (1, 2, 10)
"""The centre; that and its mirror image; the four corners, the centre, and the mirror images of all five."""


class Averaged(nn.Module):
    """What a module gives, averaged over views of each image.

    Ten views are those of Krizhevsky, Sutskever, Hinton: "ImageNet Classification with Deep Convolutional Neural
    Networks", NIPS 2012, section 4.1.

    Parameters
    ----------
    module : torch.nn.Module
        Images to a tuple of one tensor ``(batch, values)``.
    height, width : int
        Of what `module` takes.
    views : {2, 10}
    """

    def __init__(self, module: nn.Module, height: int, width: int, views: int) -> None:
        super().__init__()
        self.module, self.height, self.width, self.views = module, height, width, views

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """``(batch, channels, h, w)``, no smaller than a view, to ``(batch, values)``."""
        height, width = self.height, self.width
        down, right = images.shape[2] - height, images.shape[3] - width
        places = [(down // 2, right // 2)]
        if self.views == 10:
            places += [(0, 0), (0, right), (down, 0), (down, right)]
        total: Tensor | int = 0
        for top, left in places:
            view = images[:, :, top : top + height, left : left + width]
            for seen in (view, view.flip(3)):
                (values,) = self.module(seen)
                total = total + values
        return (torch.as_tensor(total) / self.views,)


def over_views(module: nn.Module, pixels: PixelSpec, views: int) -> tuple[nn.Module, PixelSpec]:
    """Give the module that averages over so many views, and what it takes.

    Raises
    ------
    LinneError
        There is no such number of views, or nothing around the centre that others could be cut from.
    """
    if views not in VIEWS:
        raise LinneError("no such number of views", value=views, remedy=f"take one of {', '.join(map(str, VIEWS))}")
    if views == 1:
        return module, pixels
    height, width = pixels.height, pixels.width
    if views == 10:
        if pixels.fit != "crop" or pixels.resize <= max(height, width):
            raise LinneError(
                "the network sees whole pictures, so that there are no corners to see as well",
                value=f"{views} views",
                remedy="take 1 or 2",
            )
        pixels = replace(pixels, height=pixels.resize, width=pixels.resize)
    return Averaged(module, height, width, views), pixels
