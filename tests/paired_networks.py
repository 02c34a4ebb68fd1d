"""Two networks that are the same and get the same gradients, for an optimiser and its reference."""

from __future__ import annotations

import torch
from torch import nn

from linne.nets import create


def networks(name: str = "lenet5") -> tuple[nn.Module, nn.Module]:
    """Two that are the same."""
    torch.manual_seed(0)
    one, other = create(name), create(name)
    other.load_state_dict(one.state_dict())
    return one, other


def parts(network: nn.Module) -> tuple[tuple[nn.Parameter, ...], tuple[nn.Parameter, ...]]:
    """Matrices, and vectors."""
    every = tuple(network.parameters())
    return tuple(p for p in every if p.ndim > 1), tuple(p for p in every if p.ndim <= 1)


def gradients(network: nn.Module, step: int) -> None:
    """Random ones, of sizes that differ from step to step."""
    generator = torch.Generator().manual_seed(step)
    for parameter in network.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator) * 10 ** (step % 5 - 3)
