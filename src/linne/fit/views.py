"""Whole batches of views by a few operations on tensors: for an accelerator, where a view alone would cost as much.

Resizing with antialiasing is a product with a matrix of weights for the rows, and one for the columns. So one batched
product each does for pictures and boxes of any size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from linne.fit.draw import Draw, whole_pixels

GRAY = (0.2989, 0.587, 0.114)
"""Luma of RGB, as torchvision has it."""


def cut_views(pictures: Sequence[Tensor], draws: Sequence[Draw], height: int, width: int) -> Tensor:
    """Cut, resize, colour and mirror.

    Parameters
    ----------
    pictures : sequence of (h, w, channels) uint8 tensors
        On one device.
    draws : sequence of Draw
        One a picture.
    height, width : int
        Of the views.

    Returns
    -------
    (batch, channels, height, width) uint8 tensor, channels last
        On the device; what `random_view` makes of the same draws, but for rounding.
    """
    device, channels = pictures[0].device, pictures[0].shape[2]
    boxes = [whole_pixels(drawn.box, 1, 1, *picture.shape[:2]) for picture, drawn in zip(pictures, draws, strict=True)]
    tall, wide = max(box[3] for box in boxes), max(box[2] for box in boxes)
    cuts = torch.zeros((len(boxes), tall, wide, channels), dtype=torch.uint8, device=device)
    for cut, picture, (x, y, box_width, box_height) in zip(cuts, pictures, boxes, strict=True):
        cut[:box_height, :box_width] = picture[y : y + box_height, x : x + box_width]
    down = resize_weights([box[3] for box in boxes], tall, height, device)
    across = resize_weights([box[2] for box in boxes], wide, width, device)
    flip = torch.tensor([drawn.flip for drawn in draws], device=device)
    across = torch.where(flip[:, None, None], across.flip(1), across)
    rows = torch.bmm(down, cuts.flatten(2).float()).view(-1, height, wide, channels)
    columns = torch.bmm(across, rows.transpose(1, 2).flatten(2)).view(-1, width, height, channels)
    views = _coloured(columns.permute(0, 3, 2, 1).round(), draws)
    return views.to(torch.uint8).contiguous(memory_format=torch.channels_last)


def resize_weights(sides: Sequence[int], longest: int, out: int, device: torch.device) -> Tensor:
    """Give the weights of a side's pixels for each pixel of the resized side.

    Triangles as wide as what a pixel of the result covers, and at least two pixels: bilinear with antialiasing, as
    Pillow and PyTorch have it.

    Parameters
    ----------
    sides : sequence of int
        Pixels of each picture's side, at most `longest`.
    longest, out : int
        Pixels that the sides are stored with, and are resized to.
    device : torch.device

    Returns
    -------
    (batch, out, longest) float32 tensor
        Each row adds up to 1; pixels beyond a side have no weight.
    """
    side = torch.tensor(sides, dtype=torch.float32, device=device)[:, None, None]
    scale = side / out
    place = torch.arange(longest, device=device) + 0.5
    centre = (torch.arange(out, device=device)[:, None] + 0.5) * scale
    weights = (1 - (place - centre).abs() / scale.clamp(min=1)).clamp(min=0) * (place < side)
    return weights / weights.sum(dim=2, keepdim=True)


def _coloured(views: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Multiply brightness, contrast and saturation of ``(batch, channels, height, width)`` by each view's factors."""
    if not draws[0].colour:
        return views
    factors = torch.tensor([drawn.colour for drawn in draws], device=views.device).T[..., None, None, None]
    views = _whole(views * factors[0])
    mean = _whole(_gray(views)).mean(dim=(1, 2, 3), keepdim=True)
    views = _whole(views * factors[1] + mean * (1 - factors[1]))
    if len(factors) == 3:
        views = _whole(views * factors[2] + _whole(_gray(views)) * (1 - factors[2]))
    return views


def _gray(views: Tensor) -> Tensor:
    if views.shape[1] == 1:
        return views
    red, green, blue = (views[:, channel, None] for channel in range(3))
    return GRAY[0] * red + GRAY[1] * green + GRAY[2] * blue


def _whole(views: Tensor) -> Tensor:
    """To levels of uint8, cut off as torchvision does."""
    return views.clamp(0, 255).floor()
