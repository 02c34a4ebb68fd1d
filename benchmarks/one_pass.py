"""The one pass against the usual script: files to MobileNetV2 features, interleaved, same images, same cores.

The usual script is torchvision's `ImageFolder` with the transforms of its weights and an eager network.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Subset
from torchvision import datasets
from torchvision.models import mobilenet_v2
from torchvision.transforms import v2

from linne.embed.backbone import backbone
from linne.embed.embedding import embed
from linne.index.class_folders import read_folder
from linne.nets.build import create
from linne.nets.catalogue import entry
from linne.records.index import Index
from linne.records.progress import Silent

ROUNDS = 3


def usual(folder: Path, rows: list[int]) -> float:
    """Seconds of the eager loop over two worker processes."""
    transform = v2.Compose(
        [
            v2.PILToTensor(),
            v2.Resize(256, antialias=True),
            v2.CenterCrop(224),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    network = mobilenet_v2().eval()
    start = time.perf_counter()
    images = Subset(datasets.ImageFolder(folder, transform), rows)
    with torch.inference_mode():
        for batch, _ in DataLoader(images, batch_size=64, num_workers=2):
            network.features(batch).mean(dim=(2, 3))
    return time.perf_counter() - start


def ours(index: Index) -> float:
    """Seconds of the pass into an empty store, the choice of the backend included."""
    network = backbone(create("mobilenet_v2"), entry("mobilenet_v2").pixels)
    with tempfile.TemporaryDirectory() as cache:
        start = time.perf_counter()
        embed(index, network, Path(cache), Silent())
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="class folders")
    parser.add_argument("--images", type=int, default=600)
    arguments = parser.parse_args()
    whole = read_folder(arguments.photos)
    rows = np.linspace(0, len(whole) - 1, min(arguments.images, len(whole))).astype(int)
    index = Index(
        whole.root, whole.labels, whole.paths.take(rows), *(a[rows] for a in (whole.label, whole.subset, whole.size))
    )
    a, b = [], []
    for _ in range(ROUNDS):
        a.append(usual(arguments.photos, rows.tolist()))
        b.append(ours(index))
    first, second = statistics.median(a), statistics.median(b)
    print(f"usual eager loop  {len(rows) / first:7.1f} images/s")
    print(f"linne's one pass  {len(rows) / second:7.1f} images/s   {first / second:.2f} x")


if __name__ == "__main__":
    main()
