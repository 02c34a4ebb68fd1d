"""Several processes that train one network, each on a part of every batch; or one process alone.

What has to be decided (to stop, to write, which epoch is best) is decided by the first process and told to the others,
so that none leaves the loop while another waits for it. All that is awaited has an end: a process that has died, or
does not answer, ends the others. torch.distributed is asked for nothing while a process is alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from linne.records.errors import LinneError, LostError
from linne.runtime.cores import available_cores
from linne.runtime.torchrun import started_by_torchrun

ANSWERED_WITHIN = timedelta(minutes=10)
"""How long one process may let the others wait: a network is written, a batch is decoded from a slow disk."""

LOOKED_EVERY = 0.2
"""Seconds between looks at what the first process has said, while it does what it does alone."""


@dataclass(frozen=True)
class Processes:
    """One process among all; the default is one alone.

    Attributes
    ----------
    rank, world : int
        Its number, and how many there are.
    local_rank, local_world : int
        The same on its machine.
    shard : bool
        Weights are cut up among the processes.
    store : torch.distributed.Store or None
        Where words are left for others.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1
    shard: bool = False
    store: Any = None

    @property
    def first(self) -> bool:
        """Whether it is the one that decides and writes."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there is no other."""
        return self.world == 1

    def part(self, whole: NDArray[np.int64]) -> NDArray[np.int64]:
        """The part that this process has of an array: all parts are of one size, or the first ones are one longer."""
        return whole if self.alone else np.array_split(whole, self.world)[self.rank]

    def add(self, tensor: Tensor) -> None:
        """Put the sum over all processes in the tensor's place."""
        if not self.alone and tensor.numel():
            with self._answered():
                torch.distributed.all_reduce(tensor)

    def sums(self, values: Sequence[float]) -> list[float]:
        """Sum each value over the processes."""
        if self.alone:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        self.add(tensor)
        return tensor.tolist()

    def told(self, *values: float) -> list[float]:
        """Give the first process's values."""
        return self.sums(values if self.first else [0.0] * len(values))

    def gather(self, own: bytes) -> list[bytes]:
        """Give the bytes of each process, in order."""
        if self.alone:
            return [own]
        sizes = [int(size) for size in self.sums([float(len(own) * (at == self.rank)) for at in range(self.world)])]
        held = torch.zeros(sum(sizes), dtype=torch.uint8)
        start = sum(sizes[: self.rank])
        held[start : start + len(own)] = torch.frombuffer(bytearray(own or b"\0"), dtype=torch.uint8)[: len(own)]
        self.add(held)
        return [part.numpy().tobytes() for part in torch.split(held, sizes)]

    def rolled(self, tensor: Tensor) -> Tensor:
        """Give each row of the whole batch the one before it, of which this process has ``(part, ...)``."""
        if self.alone:
            return tensor.roll(1, 0)
        there = self.sums([float(at == self.rank and len(tensor) > 0) for at in range(self.world)])
        lasts = tensor.new_zeros((self.world, *tensor.shape[1:]))
        if len(tensor):
            lasts[self.rank] = tensor[-1]
        self.add(lasts)
        before = next((at for at in range(self.rank - 1, self.rank - 1 - self.world, -1) if there[at]), self.rank)
        return torch.cat([lasts[before].unsqueeze(0), tensor])[: len(tensor)]

    def sum_gradients(self, parameters: Sequence[nn.Parameter], more: Tensor) -> Tensor:
        """Sum the gradients of all processes, and one more number, which is given; alone, nothing is done.

        A parameter that has a gradient in one process gets one in all: a process may have no images of a batch.
        """
        if self.alone:
            return more
        there = self.sums([float(p.grad is not None) for p in parameters])
        used = [p for p, processes in zip(parameters, there, strict=True) if processes]
        for p in used:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        gradients = [p.grad for p in used if p.grad is not None]
        flat = torch.cat([more.reshape(1).float(), *(gradient.reshape(-1) for gradient in gradients)])
        self.add(flat)
        total, *sums = torch.split(flat, [1, *(gradient.numel() for gradient in gradients)])
        for gradient, summed in zip(gradients, sums, strict=True):
            gradient.copy_(summed.view(gradient.shape))
        return total.squeeze(0)

    @torch.no_grad()
    def equalise(self, module: nn.Module) -> None:
        """Give a module the first process's weights."""
        if self.alone:
            return
        for value in module.state_dict().values():
            held = value.contiguous()
            with self._answered():
                torch.distributed.broadcast(held, 0)
            value.copy_(held)

    def wait(self) -> None:
        """Wait until all are here."""
        self.sums([0.0])

    def say(self, name: str, word: str = "") -> None:
        """Leave a word for all."""
        if not self.alone:
            self.store.set(name, word)

    def said(self, *names: str) -> tuple[str, str]:
        """Wait, for as long as it takes, until one of these words has been left; gives its name and the word."""
        while True:
            with self._answered():
                for name in names:
                    if self.store.check([name]):
                        return name, self.store.get(name).decode()
            time.sleep(LOOKED_EVERY)

    @contextmanager
    def own_cores(self) -> Iterator[None]:
        """Within it the processes of a machine have its cores divided among them."""
        if self.alone:
            yield
            return
        threads, most = torch.get_num_threads(), max(1, available_cores() // self.local_world)
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if cores:
            share = cores[self.local_rank :: self.local_world] or [cores[self.local_rank % len(cores)]]
            os.sched_setaffinity(0, share)
            torch.set_num_threads(min(len(share), most))
        else:
            torch.set_num_threads(most)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            if cores:
                os.sched_setaffinity(0, cores)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Within it the others learn that this process has failed; at its end they have parted."""
        try:
            yield
        except LinneError as error:
            if not isinstance(error, LostError):
                with self._answered():
                    self.say(FAILED)
            raise
        if not self.alone:
            torch.distributed.destroy_process_group()

    @contextmanager
    def _answered(self) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # torch's errors of a lost connection, and of a wait that was too long
            raise LostError(
                "another process of this run has ended, or does not answer",
                remedy="see what torchrun says of it; the run goes on with --resume",
                explained=self._failure_was_told(),
            ) from error

    def _failure_was_told(self) -> bool:
        try:
            return bool(self.store.check([FAILED]))
        except RuntimeError:
            return False  # who kept the words has ended, too


ALONE = Processes()

BEGINS, DONE, FAILED = "training begins", "done", "failed"
"""Words: of the first process, with the run's folder, and of one that has told why it ends."""


def join(shard: bool = False) -> Processes:
    """Meet the processes that torchrun has started; without it, be alone.

    Raises
    ------
    LinneError
        There are more processes than GPUs, or `shard` is asked of one alone.
    """
    if not started_by_torchrun():
        if shard:
            raise LinneError(
                "a network is cut up among several processes only", remedy="start it with torchrun (docs/tasks)"
            )
        return ALONE
    import torch.distributed as dist
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    local_rank, local_world = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    backend = "gloo"
    if torch.cuda.is_available():
        if local_world > torch.cuda.device_count():
            raise LinneError(
                "there are more processes than GPUs",
                value=f"{local_world} for {torch.cuda.device_count()}",
                remedy="give torchrun a smaller --nproc-per-node",
            )
        torch.cuda.set_device(local_rank)
        backend = "cpu:gloo,cuda:nccl"
    store, number, world = next(iter(rendezvous("env://", timeout=ANSWERED_WITHIN)))
    # Words of an attempt before this one are not for us, if torchrun was told to try again.
    own = PrefixStore(f"linne/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    dist.init_process_group(
        backend, store=PrefixStore("torch", own), rank=number, world_size=world, timeout=ANSWERED_WITHIN
    )
    if number == 0:
        torch.set_num_threads(available_cores())  # torchrun gives each process one, and the others wait at first
    return Processes(number, world, local_rank, local_world, shard, own)
