"""Blocks that are written otherwise than in PyTorch, against PyTorch's: the ratio is theirs over ours.

python benchmarks/blocks.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
import torch.nn.functional as F
from pairs import ratio
from torch import Tensor, nn

from linne.nets.blocks.attend import attend
from linne.nets.blocks.linear import Linear
from linne.nets.blocks.local_response_norm import LocalResponseNorm

Block = Callable[..., Tensor]


def compare(what: str, theirs: Block, ours: Block, *given: Tensor) -> None:
    def forward(block: Block) -> None:
        with torch.inference_mode():
            block(*given)

    def both(block: Block) -> None:
        block(*[x.requires_grad_() for x in given]).sum().backward()

    forwards, boths = (ratio(lambda w=w: w(theirs), lambda w=w: w(ours), 3.0) for w in (forward, both))
    print(f"{what:<36}forward {forwards}   both {boths}", flush=True)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print(f"{torch.get_num_threads()} threads, PyTorch {torch.__version__}, theirs / ours")
    for shape in ((4, 96, 55, 55), (4, 256, 27, 27), (4, 64, 56, 56), (4, 192, 56, 56)):
        theirs = nn.LocalResponseNorm(5, 1e-4, 0.75, 2.0)
        compare(f"response norm {shape}", theirs, LocalResponseNorm(5, 2e-5, 2.0), torch.randn(shape))
    for shape, outputs in (((4, 197, 768), 3072), ((4, 14, 14, 384), 1536), ((256, 49, 96), 288), ((1, 197, 192), 768)):
        layer = Linear(shape[-1], outputs)
        theirs = nn.Linear(shape[-1], outputs)
        compare(f"linear {shape} to {outputs}", theirs, layer, torch.randn(shape))
    for heads, queries, keys, length in ((4, 196, 196, 64), (8, 49, 196, 128), (6, 49, 49, 64), (8, 16, 16, 64)):
        query, key = torch.randn(4, heads, queries, 32), torch.randn(4, heads, keys, 32)
        value, biases = torch.randn(4, heads, keys, length), torch.randn(1, heads, queries, keys)
        what = f"attention {heads} x {queries} x {keys}, 32 and {length}"
        compare(what, F.scaled_dot_product_attention, attend, query, key, value, biases)


if __name__ == "__main__":
    main()
