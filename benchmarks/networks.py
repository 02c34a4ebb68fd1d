"""Each family against torchvision's or timm's twin: forward, and forward with backward.

Both have the same weights and get the same images; runs alternate, and the ratio is the median of theirs over ours, so
that more than 1 means faster than the twin.

    python benchmarks/networks.py [--seconds 6] [--batch 4] [NAME ...]
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "nets"))
from references import Reference, noise, references

from linne.nets.catalogue import CATALOGUE, entry

COMPARABLE = 1.0
"""GMACs: of each family the variant nearest to it is timed, so that a run takes a fraction of a second."""


def timed() -> list[Reference]:
    """One variant a family, with every twin that it has."""
    chosen: dict[str, str] = {}
    for name, row in sorted(CATALOGUE.items(), key=lambda item: abs(item[1].gmacs - COMPARABLE)):
        if row.torchvision or row.timm:
            chosen.setdefault(row.family, name)
    return [reference for reference in references() if reference.name in chosen.values()]


def forward(network: nn.Module, images: Tensor) -> None:
    with torch.inference_mode():
        network(images)


def both(network: nn.Module, images: Tensor) -> None:
    logits = network(images)
    logits.sum().backward()


def ratio(
    work: Callable[[nn.Module, Tensor], None], theirs: nn.Module, ours: nn.Module, images: Tensor, seconds: float
) -> tuple[float, float, float]:
    """Give the ratio of medians, and both medians in milliseconds, of runs that alternate in changing order."""
    took: dict[int, list[float]] = {0: [], 1: []}
    for network in (theirs, ours):
        work(network, images)
    end = time.perf_counter() + seconds
    turn = 0
    while time.perf_counter() < end or turn < 5:
        for which in (0, 1) if turn % 2 else (1, 0):
            start = time.perf_counter()
            work((theirs, ours)[which], images)
            took[which].append(time.perf_counter() - start)
        turn += 1
    one, other = (1000 * statistics.median(times) for times in (took[0], took[1]))
    return one / other, one, other


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("names", nargs="*")
    arguments.add_argument("--seconds", type=float, default=6.0)
    arguments.add_argument("--batch", type=int, default=4)
    given = arguments.parse_args()
    wanted = [r for r in references() if r.name in given.names] if given.names else timed()
    print(f"{torch.get_num_threads()} threads, PyTorch {torch.__version__}, batch {given.batch}, theirs / ours")
    for reference in wanted:
        pixels = entry(reference.name).pixels
        images = noise(given.batch, pixels.channels, pixels.height, pixels.width)
        theirs = reference.build()
        ours = reference.ours(theirs)
        line = f"{reference.name:<24}{reference.project:<12}"
        for what, work in (("forward", forward), ("both", both)):
            found, one, other = ratio(work, theirs, ours, images, given.seconds)
            line += f"{what} {found:5.2f} ({one:7.1f} / {other:7.1f} ms)   "
        print(line, flush=True)
        del theirs, ours
        gc.collect()


if __name__ == "__main__":
    main()
