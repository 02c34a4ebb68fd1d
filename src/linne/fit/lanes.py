"""A batch in parts that are computed side by side, each by a thread with a core of its own.

Small networks are made of operations too short for several cores to share one; two halves of a batch share nothing. The
gradient is that of the whole batch, but for the rounding of sums; only batch norms that train see a part at a time,
where memory does not suffice for more.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from linne.fit.folded import fold_fixed_norms
from linne.fit.lean import lean_activations
from linne.fit.processes import ALONE, Processes
from linne.fit.synced_norm import sync_norms
from linne.nets.blocks.drop_path import DropPath

Losses = Callable[[Tensor, slice], Tensor]
"""Logits of the images of a part, and which these are in the batch, to the loss of each, ``(part,)``."""


class Dropout(nn.Module):
    """`torch.nn.Dropout` that draws from a generator of its own."""

    def __init__(self, rate: float, generator: torch.Generator) -> None:
        super().__init__()
        self.rate, self.generator = rate, generator

    def forward(self, x: Tensor) -> Tensor:
        """Zero values with probability `rate` in training; the others are divided by ``1 - rate``."""
        if not self.training or self.rate == 0:
            return x
        kept = torch.empty_like(x).bernoulli_(1 - self.rate, generator=self.generator)
        return x * kept.div_(1 - self.rate)


class Lane:
    """A copy of a module that shares its weights and has gradients and randomness of its own.

    Parameters
    ----------
    module : torch.nn.Module
        On its device.
    fixed_norms : bool
        Batch norms keep their statistics, and are folded where that can be done.
    processes : Processes
        Other batch norms see the parts of all of them.

    Attributes
    ----------
    in_step : bool
        All processes must compute at once: one without images takes part with a blank.
    """

    def __init__(self, module: nn.Module, fixed_norms: bool, processes: Processes = ALONE) -> None:
        if processes.shard:
            self.module = module  # there is one lane, and a piece of the weights is no one else's
        else:
            self.module = copy.deepcopy(module)
            shared = {name: value.data for name, value in [*module.named_parameters(), *module.named_buffers()]}
            for name, value in [*self.module.named_parameters(), *self.module.named_buffers()]:
                value.data = shared[name]
        self.parameters = [p for p in self.module.parameters() if p.requires_grad]
        device = next(module.parameters()).device
        self.generator = torch.Generator(device)
        _draw_from(self.module, self.generator)
        self.module.train()
        self._fixed = []
        if not processes.shard:
            lean_activations(self.module)
        if fixed_norms:
            if not processes.shard:
                fold_fixed_norms(self.module)
            for part in self.module.modules():
                if isinstance(part, nn.modules.batchnorm._BatchNorm):
                    self._fixed.append(part.eval())
        self._synced = [] if fixed_norms or processes.alone else sync_norms(self.module, processes)
        self.in_step = processes.shard or bool(self._synced)

    def backward(self, images: Tensor, part: slice, losses: Losses, precision: torch.dtype, scale: float) -> Tensor:
        """Add the gradient of a part's losses, times `scale`, to the lane's own; gives the losses."""
        own = images[part]
        blank = self.in_step and len(own) == 0
        for norm in self._synced:
            norm.counts = not blank
        for fixed in self._fixed:
            fixed.eval()
        with torch.autocast(images.device.type, precision, enabled=precision is not torch.float32):
            logits = self.module(images.new_zeros(1, *images.shape[1:]) if blank else own)
        each: Tensor = logits.float()[:, 0] * 0 if blank else losses(logits.float(), part)
        (each.sum() * scale).backward()  # type: ignore[no-untyped-call]
        return each.detach()[: len(own)]

    def take_gradients(self) -> list[Tensor | None]:
        """Give the gradients of `parameters`, and forget them."""
        taken = [p.grad for p in self.parameters]
        for p in self.parameters:
            p.grad = None
        return taken


class Lanes:
    """Computes the gradient of a batch.

    Parameters
    ----------
    module : torch.nn.Module
        On its device; it gets the gradients.
    lanes : int
        One on a GPU.
    fixed_norms : bool
    precision : torch.dtype
    processes : Processes
        Several have one lane each.
    """

    def __init__(
        self, module: nn.Module, lanes: int, fixed_norms: bool, precision: torch.dtype, processes: Processes = ALONE
    ) -> None:
        self._parameters = [p for p in module.parameters() if p.requires_grad]
        several = processes.alone and can_share(module, fixed_norms)
        self._lanes = [Lane(module, fixed_norms, processes) for _ in range(lanes if several else 1)]
        self.in_step = self._lanes[0].in_step
        self._precision = precision
        self._moving = [] if fixed_norms else list(module.buffers())
        self._before = [buffer.clone() for buffer in self._moving]
        self._pool = None
        if len(self._lanes) > 1:
            self._pool = ThreadPoolExecutor(len(self._lanes), "lane", initializer=torch.set_num_threads, initargs=(1,))

    def backward(self, images: Tensor, losses: Losses, parts: int, seed: tuple[int, ...], scale: float) -> Tensor:
        """Put the gradient of the sum of losses, times `scale`, into the module.

        Parameters
        ----------
        images : (batch, ...) tensor
        losses : callable
        parts : int
            Computed one after the other, for want of memory. Batch norms that train normalise each part by itself.
        seed : tuple of int
            Of what is drawn in the network: dropout and stochastic depth.

        Returns
        -------
        (batch,) tensor
            The losses.
        """
        if not self.in_step:
            if len(images) == 0:
                return images.new_zeros(0, dtype=torch.float32)
            parts = min(parts, len(images))
        lanes = min(len(self._lanes), len(images))
        if self._moving:
            torch._foreach_copy_(self._before, self._moving)
        for number, lane in enumerate(self._lanes):
            lane.generator.manual_seed(
                int(np.random.SeedSequence((*seed, number)).generate_state(1, np.uint64)[0]) >> 1
            )
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]) >> 1)
        done: list[Tensor] = []
        for piece in _cut(slice(0, len(images)), parts):
            shares = _cut(piece, max(min(lanes, piece.stop - piece.start), 1))
            arguments = [(lane, images, share) for lane, share in zip(self._lanes, shares, strict=False)]
            if self._pool is None or len(arguments) == 1:
                done += [lane.backward(x, share, losses, self._precision, scale) for lane, x, share in arguments]
            else:
                futures = [
                    self._pool.submit(lane.backward, x, share, losses, self._precision, scale)
                    for lane, x, share in arguments
                ]
                wait(futures)  # where one fails, the others must be done before their gradients are forgotten
                done += [future.result() for future in futures]
        self._gather()
        return torch.cat(done)

    def forget(self) -> None:
        """Drop what an attempt that failed has left: gradients, and what it has moved in running statistics."""
        for lane in self._lanes:
            lane.take_gradients()
        if self._moving:
            torch._foreach_copy_(self._moving, self._before)

    def close(self) -> None:
        """End the threads; no more batches can be computed then."""
        if self._pool is not None:
            self._pool.shutdown()

    def _gather(self) -> None:
        """Sum the lanes' gradients, in order."""
        first, *others = [lane.take_gradients() for lane in self._lanes]
        for place, parameter in enumerate(self._parameters):
            summed = first[place]
            for gradients in others:
                more = gradients[place]
                if more is not None:
                    summed = more if summed is None else summed.add_(more)
            parameter.grad = summed


def can_share(module: nn.Module, fixed_norms: bool) -> bool:
    """Whether parts of a batch may be computed apart: no batch norm sees the batch, nothing unknown draws at random."""
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and not fixed_norms:
            return False
        if "drop" in type(part).__name__.lower() and not isinstance(part, (nn.Dropout, DropPath)):
            return False
    return True


def _draw_from(module: nn.Module, generator: torch.Generator) -> None:
    """Let dropout and stochastic depth draw from a generator, in place."""
    for part in module.modules():
        for name, child in part.named_children():
            if type(child) is nn.Dropout:
                setattr(part, name, Dropout(child.p, generator))
            elif isinstance(child, DropPath):
                child.generator = generator


def _cut(whole: slice, parts: int) -> list[slice]:
    """Cut into parts of nearly one size."""
    edges = np.linspace(whole.start, whole.stop, parts + 1).round().astype(int).tolist()
    return [slice(start, stop) for start, stop in pairwise(edges)]
