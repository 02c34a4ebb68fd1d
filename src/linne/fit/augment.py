"""Random views of training images, each drawn from (seed, epoch, image) and nothing else."""

from __future__ import annotations

import math
import random
import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from linne.fit.augmix import augmix
from linne.fit.automatic import automatic
from linne.fit.draw import Box, Draw, draw, whole_pixels
from linne.fit.erase import erase
from linne.fit.functional import transforms
from linne.fit.policy import Policy, is_small
from linne.pixels.geometry import fit_to
from linne.pixels.shrunk import Picture, shrink_for
from linne.records.pixel_spec import PixelSpec
from linne.records.recipe import Automatic

# Cached pixels are mapped read-only; views are only read from them.
warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)

TURN_DEGREES = 10.0
SHIFT = 0.08
ZOOM = 0.1


def random_view(
    picture: Picture,
    spec: PixelSpec,
    policy: Policy,
    rng: random.Random,
    out: Tensor,
    full: PixelSpec | None = None,
) -> None:
    """Draw one augmented view.

    Parameters
    ----------
    picture : Picture
    spec : PixelSpec
    policy : Policy
    rng : random.Random
        Of this view alone, from `rng_of`.
    out : (1, channels, height, width) uint8 tensor, channels last
        Takes the view.
    full : PixelSpec, optional
        What images are validated at, where `spec` grows up to it: inputs that are small only at first are cropped as
        they will be.
    """
    if policy.still:
        _still(picture, spec, out)
    elif not is_small(full or spec):
        _photo(picture, draw(picture.width, picture.height, spec, policy, rng), out)
    else:
        _small(picture, spec, rng, out)
        if policy.flip and rng.random() < 0.5:
            out.copy_(out.flip(-1))
    if policy.automatic is not None:
        _change(out, spec, policy.automatic, rng)
    if rng.random() < policy.erase:
        erase(out, rng)


def _change(out: Tensor, spec: PixelSpec, kind: Automatic, rng: random.Random) -> None:
    """Apply an automatic policy; what comes in from outside has the intensity that is normalised to 0."""
    pixels = out[0].permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels if spec.channels == 3 else pixels[:, :, 0])
    fill: list[float] = [round(255 * mean) for mean in spec.mean]
    changed = augmix(picture, rng, fill) if kind == "augmix" else automatic(picture, kind, rng, fill)
    if changed is not picture:
        pixels[:] = np.asarray(changed).reshape(pixels.shape)


def _still(picture: Picture, spec: PixelSpec, out: Tensor) -> None:
    """What validation sees, but that JPEGs are decoded by the faster code, and cached pictures are scaled already."""
    pixels = picture.pixels()
    fitted = fit_to(Image.fromarray(pixels if spec.channels == 3 else pixels[:, :, 0]), spec)
    out.copy_(torch.from_numpy(np.array(fitted).reshape(1, spec.height, spec.width, -1)).permute(0, 3, 1, 2))


def _photo(picture: Picture, drawn: Draw, out: Tensor) -> None:
    """Cut out what was drawn, mirror it and change its colours."""
    resized_crop(picture, drawn.box, out)
    if drawn.flip:
        out.copy_(out.flip(-1))
    if drawn.colour:
        functional = transforms()
        adjust = (functional.adjust_brightness, functional.adjust_contrast, functional.adjust_saturation)
        for change, factor in zip(adjust, drawn.colour, strict=False):
            out.copy_(change(out, factor))


def resized_crop(picture: Picture, box: Box, out: Tensor) -> None:
    """Cut a box out of a picture, and resize it into `out` with antialiasing.

    Parameters
    ----------
    picture : Picture
    box : (left, top, width, height)
        In pixels of the whole picture; rounded to those of the decoded one.
    out : (1, channels, height, width) uint8 tensor, channels last
    """
    pixels = picture.pixels(shrink_for(box[2:], (out.shape[3], out.shape[2])))
    tall, wide = pixels.shape[:2]
    x, y, width, height = whole_pixels(box, tall / picture.height, wide / picture.width, tall, wide)
    resize_into(out, pixels[None, y : y + height, x : x + width])


def resize_into(out: Tensor, pixels: NDArray[np.uint8]) -> None:
    """Resize ``(1, h, w, channels)`` uint8 into ``(1, channels, height, width)`` uint8, channels last; bilinear.

    By the operator itself, which can write where the batch is: `torch.nn.functional.interpolate` would give planes of
    channels, and take half as long again.
    """
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    torch.ops.aten._upsample_bilinear2d_aa.out(images, out.shape[2:], False, None, None, out=out)


def _small(picture: Picture, spec: PixelSpec, rng: random.Random, out: Tensor) -> None:
    """A small turn, shift and zoom; what comes in from outside has the border's median intensity.

    By Pillow: torchvision's `affine` takes ten times as long for a picture of this size.
    """
    shrink = shrink_for((picture.width, picture.height), (2 * spec.width, 2 * spec.height))
    whole = picture.pixels(shrink)
    fitted = fit_to(Image.fromarray(whole if spec.channels == 3 else whole[:, :, 0]), spec)
    pixels = np.asarray(fitted).reshape(spec.height, spec.width, spec.channels)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    angle = math.radians(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
    zoom = rng.uniform(1 - ZOOM, 1 + ZOOM)
    right, down = (rng.uniform(-SHIFT, SHIFT) * side for side in (spec.width, spec.height))
    # Where each pixel of the view comes from: turned and zoomed around the centre.
    cosine, sine = math.cos(angle) / zoom, math.sin(angle) / zoom
    x, y = spec.width / 2, spec.height / 2
    across = (cosine, sine, x - cosine * (x + right) - sine * (y + down))
    along = (-sine, cosine, y + sine * (x + right) - cosine * (y + down))
    fill = tuple(int(value) for value in np.median(border, axis=0))
    view = fitted.transform(
        fitted.size,
        Image.Transform.AFFINE,
        (*across, *along),
        Image.Resampling.BILINEAR,
        fillcolor=fill if spec.channels == 3 else fill[0],
    )
    turned = np.array(view).reshape(1, spec.height, spec.width, spec.channels)
    out.copy_(torch.from_numpy(turned).permute(0, 3, 1, 2))


def get_ready(spec: PixelSpec, policy: Policy) -> None:
    """Import what views need, before the first step; `InstallError` where it does not fit torch."""
    if (not is_small(spec) and not policy.still) or policy.automatic is not None:
        transforms()
