"""Views of many photos by a few operations on tensors, from tables of what is drawn for them.

Every operation runs for every view, and does nothing where its columns say so: a graph of CUDA cannot branch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
KIND = torch.bfloat16 if CUDA else torch.float32
MEAN, STD = 127.5, 127.5
"""What linne finds the weights that it is meant for to have been trained with: intensities in [-1, 1]."""
GRAY = torch.tensor((0.2989, 0.587, 0.114), device=DEVICE).view(3, 1, 1)
BLUR = (torch.tensor([[1.0, 1, 1], [1, 5, 1], [1, 1, 1]], device=DEVICE) / 13).expand(3, 1, 3, 3).contiguous()
PLACES = torch.arange(1024, device=DEVICE) + 0.5

BOX, FLIP, COLOUR, ERASED, AFFINE, TONES = slice(0, 4), 4, slice(5, 8), slice(8, 12), slice(12, 18), slice(18, 22)
"""Columns of what is drawn for a view; tones are the threshold of solarising, the step of posterising, the sharpness,
and whether the contrast is stretched."""
DRAWN = 22

Size = tuple[int, int]


@dataclass(frozen=True)
class Photos:
    """All photos, padded to one size: (n, side, side, 3) uint8 on the device, and (n, 2) float32 heights and widths."""

    pixels: Tensor
    sizes: Tensor


def resize_weights(start: Tensor, length: Tensor, stored: int, out: int) -> Tensor:
    """(batch, out, stored): bilinear with antialiasing, of what lies in [start, start + length)."""
    place = PLACES[:stored]
    start, length = start[:, None, None], length[:, None, None]
    scale = length / out
    centre = start + PLACES[:out, None] * scale
    inside = (place > start) & (place < start + length)
    weights = (1 - (place - centre).abs() / scale.clamp(min=1)).clamp(min=0) * inside
    return weights / weights.sum(dim=2, keepdim=True).clamp(min=1e-6)


def cut(pixels: Tensor, box: Tensor, flip: Tensor, size: Size) -> Tensor:
    """Boxes (left, top, width, height) of (batch, h, w, 3) uint8 to (batch, 3, *size) float32 levels."""
    kind = torch.float16 if CUDA else torch.float32
    height, width = size
    down = resize_weights(box[:, 1], box[:, 3], pixels.shape[1], height)
    across = resize_weights(box[:, 0], box[:, 2], pixels.shape[2], width)
    across = torch.where(flip[:, None, None] > 0.5, across.flip(1), across)
    rows = torch.bmm(down.to(kind), pixels.flatten(2).to(kind)).view(-1, height, pixels.shape[2], 3)
    columns = torch.bmm(across.to(kind), rows.transpose(1, 2).flatten(2)).view(-1, width, height, 3)
    return columns.permute(0, 3, 2, 1).float()


def coloured(views: Tensor, factors: Tensor) -> Tensor:
    brightness, contrast, saturation = factors.T[..., None, None, None]
    views = (views * brightness).clamp(0, 255)
    mean = (views * GRAY).sum(1, keepdim=True).mean(dim=(2, 3), keepdim=True)
    views = (views * contrast + mean * (1 - contrast)).clamp(0, 255)
    gray = (views * GRAY).sum(1, keepdim=True)
    return (views * saturation + gray * (1 - saturation)).clamp(0, 255)


def automatic(views: Tensor, drawn: Tensor) -> Tensor:
    """TrivialAugment's turns, shears, shifts and tones; each view has one, the others are set to do nothing."""
    height, width = views.shape[2:]
    x = (PLACES[:width] * 2 / width - 1).expand(height, width)
    y = (PLACES[:height, None] * 2 / height - 1).expand(height, width)
    places = torch.stack((x, y, torch.ones_like(x)), dim=-1)
    grid = torch.einsum("hwk,bik->bhwi", places, drawn[:, AFFINE].view(-1, 2, 3))
    views = F.grid_sample(views, grid, align_corners=False)
    threshold, step, sharp, stretch = drawn[:, TONES].T[..., None, None, None]
    views = torch.where(views >= threshold, 255 - views, views)
    views = torch.where(step > 1, (views / step).floor() * step, views)
    blurred = F.conv2d(F.pad(views, (1, 1, 1, 1), "replicate"), BLUR, groups=3)
    views = (views * sharp + blurred * (1 - sharp)).clamp(0, 255)
    low, high = views.amin(dim=(2, 3), keepdim=True), views.amax(dim=(2, 3), keepdim=True)
    return torch.where(stretch > 0.5, (views - low) * 255 / (high - low).clamp(min=1), views)


def normalised(views: Tensor) -> Tensor:
    return ((views - MEAN) / STD).to(KIND, memory_format=torch.channels_last)


def within(box: Tensor, height: int, width: int) -> Tensor:
    """(batch, 1, height, width) bool of boxes (left, top, right, bottom), shares of the sides."""
    left, top, right, bottom = box.T[..., None, None, None]
    x, y = PLACES[:width] / width, PLACES[:height, None] / height
    return (x > left) & (x < right) & (y > top) & (y < bottom)


def seen(photos: Photos, rows: Tensor, size: Size, flip: bool = False) -> Tensor:
    """Whole photos, stretched."""
    height, width = photos.sizes[rows].T
    nothing = torch.zeros_like(height)
    box = torch.stack((nothing, nothing, width, height), dim=1)
    return cut(photos.pixels[rows], box, nothing + float(flip), size)
