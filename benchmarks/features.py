"""Files to MobileNetV2 features, from an empty store and again: linne against the script that people write.

The script is torchvision's `ImageFolder` with the transforms of its weights, a `DataLoader` with two workers, and an
eager network. linne's times are those of `linne.embed`: index, reading of the weights, choice of the way to run the
network (measured anew, or remembered from an earlier run), and writing the file. The second run is compared with the
first as a whole, and by the pass over the images alone.

Usage: features.py PHOTOS WEIGHTS [--images N]    (class folders of photos; MobileNetV2's weights)
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from harness import Comparison, Table, compare, main
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.models import mobilenet_v2
from torchvision.transforms import v2

import linne
from linne.nets.build import create
from linne.nets.catalogue import entry
from linne.records.progress import Silent

NETWORK, BATCH, WORKERS, TURNS = "mobilenet_v2", 64, 2, 3
PIXELS = entry(NETWORK).pixels


def linked(photos: Path, images: int, folder: Path) -> Path:
    """Class folders with so many of the photos."""
    files = sorted(path for path in photos.glob("*/*") if path.is_file())
    for place in np.linspace(0, len(files) - 1, min(images, len(files))).astype(int):
        target = folder / files[place].relative_to(photos)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(files[place], target)
    return folder


class PassTimer(Silent):
    """Takes the time of the pass over the images."""

    seconds = 0.0

    def start(self, step: str, *_: object) -> None:
        self._passing, self._began = step == "embed", time.perf_counter()

    def finish(self) -> None:
        if self._passing:
            self.seconds = time.perf_counter() - self._began


def usual(photos: Path) -> torch.Tensor:
    transform = v2.Compose(
        [
            v2.Resize(PIXELS.resize),
            v2.CenterCrop(PIXELS.height),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(PIXELS.mean, PIXELS.std),
        ]
    )
    network = mobilenet_v2().eval()
    with torch.inference_mode():
        batches = DataLoader(ImageFolder(str(photos), transform), BATCH, num_workers=WORKERS)
        return torch.cat([network.features(batch).mean(dim=(2, 3)) for batch, _ in batches])


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as name:
        folder = Path(name)
        photos = linked(given.photos, given.images, folder / "photos")
        images = sum(1 for _ in photos.glob("*/*"))
        create(NETWORK, weights=given.weights)

        passes: dict[str, list[float]] = {"first": [], "second": []}

        def ours(cache: Path, turn: str = "") -> None:
            timer = PassTimer()
            out = folder / "features.npy"
            linne.embed(photos, network=NETWORK, weights=given.weights, out=out, cache=cache, progress=timer)
            passes.setdefault(turn, []).append(timer.seconds)

        def cold(remembered: bool) -> None:
            cache = Path(tempfile.mkdtemp(dir=folder))
            if remembered:
                shutil.copy(folder / "warm" / "backends.json", cache)
            ours(cache, "first")
            shutil.rmtree(cache)

        ours(folder / "warm")
        ways = {
            "torchvision, eager, 2 workers": lambda: usual(photos),
            "linne, empty store": lambda: cold(False),
            "linne, empty store, way remembered": lambda: cold(True),
            "linne, second run": lambda: ours(folder / "warm", "second"),
        }
        title = f"Files to MobileNetV2 features, {images} photos"
        found = compare(title, ways, images, "images", TURNS, warm_up=False)
        yield found
        times = {timing.name: timing.median for timing in found.timings}
        again = times["linne, empty store"] / times["linne, second run"]
        first, second = (statistics.median(passes[turn]) for turn in ("first", "second"))
        rows = (("linne.embed", f"{again:.0f} x"), ("the pass over the images alone", f"{first / second:.0f} x"))
        yield Table("The second run against the first", ("", "ratio"), rows)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [("photos", {"type": Path}), ("weights", {"type": Path}), ("--images", {"type": int, "default": 3000})],
    )
