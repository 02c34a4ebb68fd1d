"""Each family against torchvision's or timm's twin: forward as it is used, and forward with backward as in training.

Both have the same weights and get the same images. Without names it is one variant a family, nearest to 1 GMACs.

Usage: networks.py [NAME ...] [--seconds 6] [--batch 4]    (seconds for each comparison, 15 turns at least)
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "nets"))
from harness import Comparison, Table, compare_for, gathered, main
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


def compared(reference: Reference, batch: int, seconds: float) -> Iterator[Comparison]:
    pixels = entry(reference.name).pixels
    images = noise(batch, pixels.channels, pixels.height, pixels.width)
    theirs = reference.build()
    ours = reference.ours(theirs)
    for name, work in (("forward", forward), ("both", both)):
        for network in (theirs, ours):
            network.train(work is both)
        ways = {reference.project: partial(work, theirs, images), "linne": partial(work, ours, images)}
        yield compare_for(f"{reference.name}, {reference.project}, {name}", ways, seconds, batch, "images")


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    found = []
    for reference in [r for r in references() if r.name in given.names] if given.names else timed():
        for comparison in compared(reference, given.batch, given.seconds):
            found.append(comparison)
            yield comparison
        gc.collect()
    yield gathered(f"Networks against their twins, batch {given.batch}, {torch.get_num_threads()} threads", found)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("names", {"nargs": "*"}),
            ("--seconds", {"type": float, "default": 6.0}),
            ("--batch", {"type": int, "default": 4}),
        ],
    )
