"""How much memory `linne.embed` takes for a few images and for many: the peak of a process of its own, in MB.

The images are gray noise of 8 x 8 pixels in a tar, each with other bytes, through a LeNet-5 with random weights.

The peak at the start of the pass is that of the libraries, the index, and the search for the fastest way to run the
network. The pass adds a few batches whatever the number of images; the features are in the store. What still grows is
the index, some 350 bytes an image while the tar is read, of which 55 are kept (path, label, place and size), and the
digests, 16 bytes an image in their order and 24 on the shelf of the store.

Writing the features comes last, to Parquet, and grows until a chunk has its full 64 MiB. Pages of a .npy, which is
mapped into memory, would count as if they were held.

Usage: memory.py [--images 20000]
"""

from __future__ import annotations

import argparse
import io
import random
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from alone import alone, peak
from harness import Comparison, Table, main
from PIL import Image

FEW = 1000
NETWORK, CLASSES, SIDE = "lenet5", 10, 8


def write_tar(path: Path, images: int) -> None:
    """Class folders of PNGs in a tar."""
    chance = random.Random(0)
    with tarfile.open(path, "w") as tar:
        for number in range(images):
            file = io.BytesIO()
            Image.frombytes("L", (SIDE, SIDE), chance.randbytes(SIDE * SIDE)).save(file, "PNG")
            member = tarfile.TarInfo(f"{number % CLASSES}/{number:07d}.png")
            member.size = file.tell()
            file.seek(0)
            tar.addfile(member, file)


def write_network(path: Path) -> None:
    """For a process of its own: torch must not be in this one, whose peak the others begin with."""
    import torch

    from linne.nets.build import create
    from linne.nets.catalogue import entry
    from linne.nets.weights import write_weights

    torch.manual_seed(0)
    write_weights(path, create(NETWORK), NETWORK, entry(NETWORK).pixels)


def embedded(tar: Path, weights: Path, cache: Path) -> tuple[float, float, float]:
    """The peak at the start of the pass, at its end, and after writing the features; for a fresh process."""
    import linne
    from linne.records.progress import Silent

    peaks: list[float] = []

    class Noting(Silent):
        def start(self, step: str, *_: object) -> None:
            if step == "embed":
                peaks.append(peak())

        def finish(self) -> None:
            if peaks:  # other steps come before it
                peaks.append(peak())

    out = cache / "features.parquet"
    passed = linne.embed(tar, network=NETWORK, weights=weights, out=out, cache=cache, progress=Noting())
    if not passed.readable.all():
        raise RuntimeError(f"{(~passed.readable).sum()} images could not be read")
    start, end = peaks
    return start, end, peak()


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as name:
        folder = Path(name)
        weights = folder / "lenet5.safetensors"
        alone(write_network, weights)
        for images in (FEW, given.images):
            tar = folder / f"{images}.tar"
            write_tar(tar, images)
            peaks = alone(embedded, tar, weights, folder / f"{images}")
            rows.append((f"{images:,} images", *(round(each, 1) for each in peaks)))
    columns = ("", "MB at the start of the pass", "MB at its end", "MB at most")
    yield Table("Peak memory of linne.embed", columns, tuple(rows))


if __name__ == "__main__":
    main(__doc__, measure, [("--images", {"type": int, "default": 20_000})])
