"""Pictures with several labels: one to three handwritten digits side by side, or none, listed in a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SIDE = 32
CLASSES = 4


def write_several_digits(folder: Path, images: int = 400, seed: int = 0) -> Path:
    """Write pictures of up to three of the digits 0 to 3 and ``labels.csv``, with ``|`` between labels."""
    digits = load_digits()
    of_class = [digits.images[digits.target == label] for label in range(CLASSES)]
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    lines = ["path,labels"]
    for number in range(images):
        shown = rng.choice(CLASSES, size=int(rng.integers(1, 4)))
        canvas = np.full((SIDE, SIDE), 255, np.uint8)
        tiles = rng.permutation(4)[: len(shown)]  # a quarter each
        for label, tile in zip(shown.tolist(), tiles.tolist(), strict=True):
            gray = 255 - of_class[label][rng.integers(len(of_class[label]))] * (255 / 16)
            scan = Image.fromarray(np.rint(gray).astype(np.uint8)).resize((16, 16), Image.Resampling.BICUBIC)
            row, column = 16 * (tile // 2), 16 * (tile % 2)
            canvas[row : row + 16, column : column + 16] = np.asarray(scan)
        Image.fromarray(canvas).save(folder / f"{number:04d}.png")
        lines.append(f"{number:04d}.png,{'|'.join(f'digit {label}' for label in sorted(set(shown.tolist())))}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "labels.csv"
