"""What a picture looks like in a few bytes: for finding near copies, without any network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

THUMB_SIDE, DETAIL_SIDE = 16, 32
_DCT_SIDE = 32
_KEPT = 8
# The lowest rows of the DCT-II matrix; factors that do not change a sign against the median are left out.
_COSINES = np.cos(np.pi / _DCT_SIDE * np.outer(np.arange(_KEPT), np.arange(_DCT_SIDE) + 0.5)).astype(np.float32)


def thumbnail(picture: Image.Image, side: int = THUMB_SIDE) -> NDArray[np.uint8]:
    """Shrink to gray ``(side, side)`` uint8, aspect ratio given up."""
    small = picture.convert("L").resize((side, side), Image.Resampling.BOX)
    return np.asarray(small)


def perceptual_hash(picture: Image.Image) -> np.uint64:
    """64-bit pHash: signs of the 8 x 8 lowest DCT frequencies of a 32 x 32 gray picture, against their median.

    Recompression, resizing and brightening change few bits (Zauner, "Implementation and benchmarking of
    perceptual image hash functions", 2010, section 3.2.1).
    """
    gray = picture.convert("L").resize((_DCT_SIDE, _DCT_SIDE), Image.Resampling.BILINEAR)
    low = (_COSINES @ np.asarray(gray, np.float32) @ _COSINES.T).ravel()
    bits = low > np.median(low[1:])  # the first frequency is the mean brightness
    return np.uint64(int.from_bytes(np.packbits(bits).tobytes(), "big"))
