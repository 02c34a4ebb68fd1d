"""Batch norms whose statistics are those of a whole batch, of which each process has a part.

`torch.nn.SyncBatchNorm` does the same on GPUs only.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from linne.fit.processes import Processes
from linne.records.errors import LinneError


class _Gathered(torch.autograd.Function):
    """A vector of each process, ``(world, n)``; gradients come back from all of them."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, processes: Processes) -> Tensor:
        ctx.processes = processes
        gathered = own.new_zeros(processes.world, len(own))
        gathered[processes.rank] = own
        processes.add(gathered)
        return gathered

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        summed = gradients[0].contiguous().clone()
        ctx.processes.add(summed)
        return summed[ctx.processes.rank], None


class SyncedNorm:
    """How a batch norm computes while it is trained by several processes.

    Parameters
    ----------
    norm : torch.nn.BatchNorm1d or BatchNorm2d
        Its parameters and running statistics are used and moved.
    processes : Processes

    Attributes
    ----------
    counts : bool
        Whether what comes in is part of the batch: a process without images of a batch takes part with a blank.
    """

    def __init__(self, norm: _BatchNorm, processes: Processes) -> None:
        self.norm, self.processes, self.counts = norm, processes, True

    def __call__(self, x: Tensor) -> Tensor:
        """``(batch, c, ...)`` to the same shape, in float32."""
        norm, x = self.norm, x.float()
        if not norm.training:
            return norm.__class__.forward(norm, x)
        others = [axis for axis in range(x.ndim) if axis != 1]
        number = x.numel() // x.shape[1]
        variance, mean = torch.var_mean(x, others, correction=0)
        share = x.new_tensor([float(number)])
        # A blank counts nothing, but its gradient passes here too: the others wait for it.
        own = torch.cat([share, mean, variance]) * float(self.counts)
        numbers, means, variances = _Gathered.apply(own, self.processes).split([1, x.shape[1], x.shape[1]], 1)
        number = numbers.sum()
        mean = (numbers * means).sum(0) / number
        variance = (numbers * (variances + (means - mean).square())).sum(0) / number
        self._note(mean.detach(), variance.detach() * number / (number - 1).clamp(min=1))
        factor: Tensor = (variance + norm.eps).rsqrt()
        shift = -mean * factor
        if norm.affine:
            factor, shift = factor * norm.weight, shift * norm.weight + norm.bias
        shape = (1, -1) + (1,) * (x.ndim - 2)
        out: Tensor = x * factor.view(shape) + shift.view(shape)
        return out

    @torch.no_grad()
    def _note(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics."""
        norm = self.norm
        if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
            return
        norm.num_batches_tracked += 1
        weight = 1 / int(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
        norm.running_mean.lerp_(mean, weight)
        norm.running_var.lerp_(variance, weight)


def sync_norms(module: nn.Module, processes: Processes) -> list[SyncedNorm]:
    """Let each batch norm compute as a `SyncedNorm`, in place, and give these; names and weights stay.

    Raises
    ------
    LinneError
        A batch norm does more than `torch.nn.BatchNorm2d`.
    """
    found = []
    for part in module.modules():
        if not isinstance(part, _BatchNorm):
            continue
        if type(part).forward is not _BatchNorm.forward:
            raise LinneError(
                "its batch norms cannot be trained by several processes",
                value=type(part).__name__,
                remedy="take pretrained weights, or another network, or one process",
            )
        found.append(SyncedNorm(part, processes))
        part.forward = found[-1]  # type: ignore[assignment, method-assign]
    return found
