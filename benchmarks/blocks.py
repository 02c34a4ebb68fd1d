"""Blocks that are written otherwise than in PyTorch, against PyTorch's: forward, and forward with backward.

Usage: blocks.py [--seconds 3]    (for each comparison)
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from harness import Comparison, Table, compare_for, gathered, main
from torch import Tensor, nn

from linne.nets.blocks.attend import attend
from linne.nets.blocks.linear import Linear
from linne.nets.blocks.local_response_norm import LocalResponseNorm

Block = Callable[..., Tensor]


def forward(block: Block, given: tuple[Tensor, ...]) -> None:
    with torch.inference_mode():
        block(*given)


def both(block: Block, given: tuple[Tensor, ...]) -> None:
    block(*[x.requires_grad_() for x in given]).sum().backward()


def blocks() -> Iterator[tuple[str, Block, Block, tuple[Tensor, ...]]]:
    """What, theirs, ours, and what both are given."""
    for shape in ((4, 96, 55, 55), (4, 256, 27, 27), (4, 64, 56, 56), (4, 192, 56, 56)):
        theirs = nn.LocalResponseNorm(5, 1e-4, 0.75, 2.0)
        yield f"response norm {shape}", theirs, LocalResponseNorm(5, 2e-5, 2.0), (torch.randn(shape),)
    for shape, outputs in (((4, 197, 768), 3072), ((4, 14, 14, 384), 1536), ((256, 49, 96), 288), ((1, 197, 192), 768)):
        layer = Linear(shape[-1], outputs)
        yield f"linear {shape} to {outputs}", nn.Linear(shape[-1], outputs), layer, (torch.randn(shape),)
    for heads, queries, keys, length in ((4, 196, 196, 64), (8, 49, 196, 128), (6, 49, 49, 64), (8, 16, 16, 64)):
        query, key = torch.randn(4, heads, queries, 32), torch.randn(4, heads, keys, 32)
        value, biases = torch.randn(4, heads, keys, length), torch.randn(1, heads, queries, keys)
        what = f"attention {heads} x {queries} x {keys}, 32 and {length}"
        yield what, F.scaled_dot_product_attention, attend, (query, key, value, biases)


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    found = []
    for what, theirs, ours, tensors in blocks():
        for name, work in (("forward", forward), ("both", both)):
            ways = {"PyTorch": partial(work, theirs, tensors), "linne": partial(work, ours, tensors)}
            found.append(compare_for(f"{what}, {name}", ways, given.seconds))
            yield found[-1]
    yield gathered(f"Blocks, PyTorch's against linne's, {torch.get_num_threads()} threads", found)


if __name__ == "__main__":
    main(__doc__, measure, [("--seconds", {"type": float, "default": 3.0})])
