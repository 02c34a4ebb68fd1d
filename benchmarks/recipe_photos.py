"""Photos as one array, folds that keep near copies together, and the probe."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

SIDE = 336
"""Pixels of the longer side that are kept."""
COPIES = 0.95
"""Cosine of features from which two photos share a fold."""
Floats = NDArray[np.float32]


def read_photos(folder: Path, limit: int | None) -> tuple[NDArray[np.uint8], Floats, NDArray[np.int64]]:
    """Pixels padded to a square, heights and widths, and labels; of subsets train and validation where there are.

    `limit` takes that many photos at random.
    """
    subsets = [folder / name for name in ("train", "validation") if (folder / name).is_dir()] or [folder]
    files = sorted(file for subset in subsets for file in subset.glob("*/*.*"))
    names = sorted({file.parent.name for file in files})
    files = [files[i] for i in np.sort(np.random.default_rng(0).permutation(len(files))[:limit])]
    pixels, sizes = np.zeros((len(files), SIDE, SIDE, 3), np.uint8), np.zeros((len(files), 2), np.float32)

    def read(i: int) -> None:
        with Image.open(files[i]) as opened:
            picture = opened.convert("RGB")
        scale = min(1, SIDE / max(picture.size))
        if scale < 1:
            picture = picture.resize(
                (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS
            )
        pixels[i, : picture.height, : picture.width], sizes[i] = np.asarray(picture), (picture.height, picture.width)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, range(len(files))))
    return pixels, sizes, np.array([names.index(file.parent.name) for file in files])


def folds(features: torch.Tensor, labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Give each photo a fold: near copies together, and each class over all folds alike."""
    unit = F.normalize(features, dim=1)
    pairs = [
        ((unit[i : i + 512] @ unit.T) > COPIES).nonzero().cpu().numpy() + np.array([i, 0])
        for i in range(0, len(unit), 512)
    ]
    one, other = np.concatenate(pairs).T
    _, group = connected_components(csr_matrix((np.ones(len(one)), (one, other)), shape=(len(labels),) * 2), False)
    fold, rng = np.full(len(labels), -1), np.random.default_rng(0)
    counts = np.zeros((count, labels.max() + 1))
    sizes = np.bincount(group)
    for number in sorted(rng.permutation(len(sizes)), key=lambda g: -sizes[g]):
        members = np.flatnonzero(group == number)
        fold[members] = best = int(np.argmin(counts[:, labels[members[0]]] + rng.random(count) * 0.5))
        np.add.at(counts[best], labels[members], 1)
    return fold


def probe(
    features: torch.Tensor, labels: torch.Tensor, classes: int, inverse_penalty: float = 0.01
) -> tuple[torch.Tensor, torch.Tensor]:
    """Multinomial logistic regression of standardised features: scikit-learn's objective, minimised on the device."""
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    x = (features - mean) / deviation
    weight = torch.zeros(classes, x.shape[1], device=x.device, requires_grad=True)
    bias = torch.zeros(classes, device=x.device, requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=60, tolerance_grad=1e-5, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        solver.zero_grad()
        loss = F.cross_entropy(F.linear(x, weight, bias), labels) + (weight**2).sum() / (2 * inverse_penalty * len(x))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    solver.step(closure)  # type: ignore[arg-type]
    scaled = (weight / deviation).detach()
    return scaled, (bias - scaled @ mean).detach()
