"""Each family against torchvision's or timm's twin: forward as it is used, and forward with backward as in training.

Both have the same weights and get the same images; runs alternate, and the ratio is the median over pairs of theirs
over ours (with quartiles), so that more than 1 means faster than the twin.

    python benchmarks/networks.py [--seconds 6] [--batch 4] [NAME ...]
"""

from __future__ import annotations

import argparse
import gc
import sys
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "nets"))
from pairs import ratio
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


def compared(reference: Reference, batch: int, seconds: float) -> str:
    """Give a line of the table."""
    pixels = entry(reference.name).pixels
    images = noise(batch, pixels.channels, pixels.height, pixels.width)
    theirs = reference.build()
    ours = reference.ours(theirs)
    line = f"{reference.name:<26}{reference.project:<12}"
    for what, work in (("forward", forward), ("both", both)):
        for network in (theirs, ours):
            network.train(work is both)
        found = ratio(partial(work, theirs, images), partial(work, ours, images), seconds)
        line += f"{what} {found}   "
    return line.rstrip()


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("names", nargs="*")
    arguments.add_argument("--seconds", type=float, default=6.0)
    arguments.add_argument("--batch", type=int, default=4)
    given = arguments.parse_args()
    wanted = [r for r in references() if r.name in given.names] if given.names else timed()
    print(f"{torch.get_num_threads()} threads, PyTorch {torch.__version__}, batch {given.batch}, theirs / ours")
    for reference in wanted:
        print(compared(reference, given.batch, given.seconds), flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
