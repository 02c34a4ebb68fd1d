"""Stages in turn, with or without keeping their activations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def through(stages: Sequence[nn.Module], x: Tensor, checkpointing: bool = False) -> Tensor:
    """Apply stages in turn.

    Parameters
    ----------
    stages : sequence of torch.nn.Module
    x : Tensor
        What enters the first of them.
    checkpointing : bool
        Keep only what enters each stage, and compute the rest again in the backward pass: memory for time
        (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174).

    Returns
    -------
    Tensor
        What leaves the last.
    """
    if not (checkpointing and torch.is_grad_enabled()):
        for stage in stages:
            x = stage(x)
        return x
    for stage in stages:
        if torch.compiler.is_compiling():  # what is recomputed moves no statistics there
            x = checkpoint(stage, x, use_reentrant=False)
        else:
            x = checkpoint(stage, x, use_reentrant=False, context_fn=partial(_contexts, stage))
    return x


def _contexts(stage: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """What the first and the second pass through a stage run in."""
    return nullcontext(), _statistics_kept(stage)


@contextmanager
def _statistics_kept(stage: nn.Module) -> Iterator[None]:
    """Leave running means and variances alone: the first pass has moved them for this batch."""
    norms = [module for module in stage.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    before = [(norm.running_mean, norm.running_var, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.running_mean, norm.running_var, norm.num_batches_tracked = (
            None if buffer is None else buffer.clone()
            for buffer in (norm.running_mean, norm.running_var, norm.num_batches_tracked)
        )
    try:
        yield
    finally:
        for norm, buffers in zip(norms, before, strict=True):
            norm.running_mean, norm.running_var, norm.num_batches_tracked = buffers
