"""Random views of training images, each drawn from (seed, epoch, image) and nothing else."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from linne.pixels.geometry import fit_to
from linne.pixels.prepare import normalise
from linne.records.errors import InstallError
from linne.records.pixel_spec import PixelSpec

SMALL_SIDE = 64
"""Inputs up to this size are shifted, turned and scaled a little: a crop would lose half of a digit."""

CROP_AREA = (0.35, 1.0)
CROP_RATIO = (3 / 4, 4 / 3)
JITTER = 0.3
TURN_DEGREES = 10.0
SHIFT = 0.08
ZOOM = 0.1


def random_view(picture: Image.Image, spec: PixelSpec, flip: bool, rng: np.random.Generator) -> Tensor:
    """One augmented, normalised view: ``(channels, height, width)`` float32.

    Parameters
    ----------
    picture : PIL.Image.Image
        As `linne.pixels.decode` gives it.
    spec : PixelSpec
    flip : bool
        Whether to mirror every second view.
    rng : numpy.random.Generator
        Of this view alone.
    """
    view = _small(picture, spec, rng) if spec.height <= SMALL_SIDE else _photo(picture, spec, rng)
    if flip and rng.random() < 0.5:
        view = view.flip(-1)
    return torch.from_numpy(normalise(view.numpy(), spec))


def _photo(picture: Image.Image, spec: PixelSpec, rng: np.random.Generator) -> Tensor:
    """A crop of random size and shape, with random brightness, contrast and saturation."""
    functional = transforms()
    width, height = picture.size
    left, top, crop_width, crop_height = _crop_box(width, height, rng)
    box = (left, top, left + crop_width, top + crop_height)
    small = picture.resize((spec.width, spec.height), Image.Resampling.BILINEAR, box=box)
    view: Tensor = _tensor(np.array(small))
    view = functional.adjust_brightness(view, rng.uniform(1 - JITTER, 1 + JITTER))
    view = functional.adjust_contrast(view, rng.uniform(1 - JITTER, 1 + JITTER))
    if spec.channels == 3:
        view = functional.adjust_saturation(view, rng.uniform(1 - JITTER, 1 + JITTER))
    return view


def _crop_box(width: int, height: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Left, top, width, height (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 6)."""
    for _ in range(10):
        area = width * height * rng.uniform(*CROP_AREA)
        ratio = math.exp(rng.uniform(math.log(CROP_RATIO[0]), math.log(CROP_RATIO[1])))
        crop_width, crop_height = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if crop_width <= width and crop_height <= height:
            left, top = rng.uniform(0, width - crop_width), rng.uniform(0, height - crop_height)
            return left, top, crop_width, crop_height
    side = min(width, height)
    return (width - side) / 2, (height - side) / 2, side, side


def _small(picture: Image.Image, spec: PixelSpec, rng: np.random.Generator) -> Tensor:
    """A small turn, shift and zoom; what comes in from outside has the border's median intensity.

    By Pillow: torchvision's `affine` takes ten times as long for a picture of this size.
    """
    fitted = fit_to(picture, spec)
    pixels = _tensor(np.array(fitted)).numpy()
    border = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], axis=1)
    angle = math.radians(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
    zoom = rng.uniform(1 - ZOOM, 1 + ZOOM)
    right, down = (rng.uniform(-SHIFT, SHIFT) * side for side in (spec.width, spec.height))
    # Where each pixel of the view comes from: turned and zoomed around the centre.
    cosine, sine = math.cos(angle) / zoom, math.sin(angle) / zoom
    x, y = spec.width / 2, spec.height / 2
    across = (cosine, sine, x - cosine * (x + right) - sine * (y + down))
    along = (-sine, cosine, y + sine * (x + right) - cosine * (y + down))
    fill = tuple(int(value) for value in np.median(border, axis=1))
    view = fitted.transform(
        fitted.size,
        Image.Transform.AFFINE,
        (*across, *along),
        Image.Resampling.BILINEAR,
        fillcolor=fill if spec.channels == 3 else fill[0],
    )
    return _tensor(np.array(view))


def _tensor(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1).copy())


def get_ready(spec: PixelSpec) -> None:
    """Import what views of this size need, before the first step; `InstallError` where it does not fit torch."""
    if spec.height > SMALL_SIDE:
        transforms()


def transforms() -> ModuleType:
    """Give `torchvision.transforms.v2.functional`.

    Raises
    ------
    InstallError
        torchvision is missing, or built for another torch.
    """
    try:
        from torchvision.transforms.v2 import functional
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        # "operator torchvision::nms does not exist": a CPU build of one beside a CUDA build of the other.
        raise InstallError(
            "torch and torchvision do not match",
            value=f"torch {torch.__version__}: {error}",
            remedy="install both in one go: uv pip install --reinstall torch torchvision",
        ) from error
    module: ModuleType = functional
    return module
