"""Photos made worse on purpose, as bytes of a JPEG: darker, lighter, blurred, emptied."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

QUALITY = 90


def jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _of_values(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Image.Image], Image.Image]:
    """Change intensities in [0, 1]."""

    def changed(picture: Image.Image) -> Image.Image:
        values = change(np.asarray(picture, np.float32) / 255)
        return Image.fromarray(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))

    return changed


def _gaussian(radius: float) -> Callable[[Image.Image], Image.Image]:
    """Blur by a share of the shorter side, so that photos of any size suffer alike."""
    return lambda picture: picture.filter(ImageFilter.GaussianBlur(radius * min(picture.size)))


def _moved(share: float) -> Callable[[Image.Image], Image.Image]:
    """The camera moves sideways while the shutter is open."""

    def moved(picture: Image.Image) -> Image.Image:
        length = max(2, round(share * min(picture.size)))
        values = np.pad(np.asarray(picture, np.float32), ((0, 0), (length, 0), (0, 0)), "edge").cumsum(axis=1)
        return Image.fromarray(np.rint((values[:, length:] - values[:, :-length]) / length).astype(np.uint8))

    return moved


def _enlarged(times: float) -> Callable[[Image.Image], Image.Image]:
    """A thumbnail, scaled up again."""

    def enlarged(picture: Image.Image) -> Image.Image:
        small = picture.resize([max(1, round(side / times)) for side in picture.size], Image.Resampling.BOX)
        return small.resize(picture.size, Image.Resampling.BICUBIC)

    return enlarged


def _noisy(picture: Image.Image) -> Image.Image:
    """The lens was covered: the mean colour, and the noise of a sensor."""
    rng = np.random.default_rng(picture.width)
    mean = np.asarray(picture, np.float32).mean(axis=(0, 1))
    noise = rng.normal(0, 2, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.rint(mean + noise), 0, 255).astype(np.uint8))


def _plain(picture: Image.Image) -> Image.Image:
    """Only the mean colour is left."""
    red, green, blue = np.rint(np.asarray(picture, np.float32).mean(axis=(0, 1))).astype(int).tolist()
    return Image.new("RGB", picture.size, (red, green, blue))


def _sloped(picture: Image.Image) -> Image.Image:
    """A bare wall: a few levels of gray from one side to the other."""
    mean = float(np.asarray(picture, np.float32).mean())
    slope = np.linspace(mean - 6, mean + 6, picture.width, dtype=np.float32)
    return Image.fromarray(np.clip(np.rint(np.tile(slope, (picture.height, 1))), 0, 255).astype(np.uint8)).convert(
        "RGB"
    )


def _faint(picture: Image.Image) -> Image.Image:
    """A twentieth of the contrast, as through fog."""
    values = np.asarray(picture, np.float32)
    mean = values.mean(axis=(0, 1))
    return Image.fromarray(np.clip(np.rint(mean + (values - mean) / 20), 0, 255).astype(np.uint8))


DARK = {
    "exposure / 4": _of_values(lambda v: v / 4),
    "exposure / 8": _of_values(lambda v: v / 8),
    "gamma 4": _of_values(lambda v: v**4),
    "gamma 6": _of_values(lambda v: v**6),
}
LIGHT = {
    "exposure x 3": _of_values(lambda v: 3 * v),
    "exposure x 8": _of_values(lambda v: 8 * v),
    "gamma 1/8": _of_values(lambda v: v**0.125),
    "washed out": _of_values(lambda v: 0.85 + 0.15 * v),
}
BLURRED = {
    "Gaussian, 0.5% of the side": _gaussian(0.005),
    "Gaussian, 1%": _gaussian(0.01),
    "Gaussian, 2%": _gaussian(0.02),
    "Gaussian, 4%": _gaussian(0.04),
    "moved by 4%": _moved(0.04),
    "moved by 8%": _moved(0.08),
    "enlarged x 4": _enlarged(4),
    "enlarged x 8": _enlarged(8),
}
EMPTY = {"plain colour": _plain, "noise of a sensor": _noisy, "bare wall": _sloped, "fog": _faint}

DEGRADED = {"dark": DARK, "light": LIGHT, "blurred": BLURRED, "little to see": EMPTY}
"""Check, name of a degradation, what it does."""
