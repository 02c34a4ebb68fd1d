"""Stochastic depth: a residual branch is left out for some images of a batch.

Huang, Sun, Liu, Sedra, Weinberger: "Deep Networks with Stochastic Depth", ECCV 2016 (arXiv 1603.09382).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Zero a branch's output for each image with probability `rate`, in training only.

    What remains is divided by ``1 - rate``, so that the expectation is the same in training and evaluation; the
    paper scales in evaluation instead. Where there is a `generator`, it draws.
    """

    generator: torch.Generator | None = None

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """``(batch, ...)`` to the same shape."""
        if not self.training or self.rate == 0:
            return branch
        keep = branch.new_empty((branch.shape[0],) + (1,) * (branch.ndim - 1)).bernoulli_(
            1 - self.rate, generator=self.generator
        )
        return branch * keep.div_(1 - self.rate)

    def extra_repr(self) -> str:
        """Show the rate when the module is printed."""
        return f"rate={self.rate}"


def rising(rate: float, blocks: int) -> list[float]:
    """Give each block its rate, linearly: from 0 at the first, as in timm (the paper: ``rate / blocks``), to `rate`."""
    return [rate * i / max(1, blocks - 1) for i in range(blocks)]


def set_drop_path(network: nn.Module, rate: float) -> None:
    """Give each block of a network its rate, in place: from 0 at the first to `rate` at the last."""
    blocks = [part for part in network.modules() if isinstance(part, DropPath)]
    for block, each in zip(blocks, rising(rate, len(blocks)), strict=True):
        block.rate = each
