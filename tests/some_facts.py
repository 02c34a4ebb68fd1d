"""Facts of images: of real files, or of plain photos with some columns set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from linne.embed.look import looks_of
from linne.pixels.facts import MODES, RECORD, Facts


def facts_of(files: Sequence[bytes]) -> Facts:
    """Of real files, as the pass takes them."""
    return Facts.of(np.array([looks_of(content)["facts"] for content in files], RECORD))


def facts(rows: int, **columns: Any) -> Facts:
    """Of photos with nothing odd, but for some columns."""
    plain = np.zeros(rows, RECORD)
    usual = {"width": 400, "height": 300, "bytes": 30_000, "mode": MODES.index("RGB"), "orientation": 1}
    usual |= {"brightness": 120, "spread": 50, "shadow": 40, "highlight": 200, "sharpness": 1.3, "chroma": 90}
    for name, values in {**usual, **columns}.items():
        plain[name] = values
    return Facts.of(plain)


def real_photos() -> list[Image.Image]:
    """Eight photos: parts of the two that come with scikit-learn, each 320 x 213."""
    from sklearn.datasets import load_sample_images

    return [
        Image.fromarray(photo[top : top + 213, left : left + 320])
        for photo in load_sample_images().images
        for top in (110, 213)
        for left in (0, 320)
    ]
