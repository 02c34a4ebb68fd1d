"""A network in training as CUDA graphs: the folds of a cross-validation train side by side on one GPU.

A step is recorded once, from cutting the views to the update of the weights, and replayed. All that differs from step
to step, rows of photos, crops, colours, rates, is read on the GPU from tables, which are drawn before training begins.
Weights, gradients and moments are flat vectors, so that an update is ten operations rather than a thousand.

Batch norms that keep their statistics are folded into the convolutions before them at each step. Gradients are those of
the unfolded network; a quarter of the memory's traffic goes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from table_views import (
    BOX,
    COLOUR,
    CUDA,
    DEVICE,
    DRAWN,
    ERASED,
    FLIP,
    KIND,
    MEAN,
    STD,
    Photos,
    Size,
    automatic,
    coloured,
    cut,
    normalised,
    within,
)
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct

MOST_STEPS = 2048
MAX_NORM = 5.0
RATE, DECAY, SMOOTHING, SHARE, PATCH, FIRST, SECOND = 0, 1, 2, 3, slice(4, 8), 8, 9
"""Columns of what holds for a step; FIRST and SECOND correct the bias of Adam's moments."""
STEPPED = 10


class Unit(nn.Module):
    """Convolution, batch norm and activation as one convolution; statistics stay."""

    def __init__(self, unit: ConvNormAct) -> None:
        super().__init__()
        self.conv, self.norm, self.act = unit.conv, unit.norm, getattr(unit, "act", None)

    def forward(self, x: Tensor) -> Tensor:
        conv, norm = self.conv, self.norm
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        weight = (conv.weight * scale[:, None, None, None]).to(KIND)
        bias = (norm.bias - norm.running_mean * scale).to(KIND)
        x = F.conv2d(x, weight, bias, conv.stride, conv.padding, 1, conv.groups)
        return x if self.act is None else self.act(x)


def with_units(network: nn.Module) -> nn.Module:
    """Put a `Unit` in the place of each convolution with a batch norm."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, ConvNormAct):
                setattr(parent, name, Unit(child))
    return network


class Lane:
    """One fold's network, its optimiser and its tables.

    Parameters
    ----------
    network : torch.nn.Module
        Of `with_units`, with a classifier of the right size.
    photos : Photos
    labels : (n,) int64 tensor
    """

    def __init__(self, network: nn.Module, photos: Photos, labels: Tensor) -> None:
        self.network, self.photos, self.labels = copy.deepcopy(network).to(DEVICE), photos, labels
        self.stream = torch.cuda.Stream() if CUDA else None
        self.named = list(self.network.named_parameters())
        size = sum(p.numel() for _, p in self.named)
        self.flat, self.grad, self.scale, self.decayed, self.first, self.second, self.velocity = (
            torch.zeros(size, device=DEVICE) for _ in range(7)
        )
        self.matrices: list[tuple[int, int, int]] = []
        self.places: dict[str, slice] = {}
        at = 0
        for name, p in self.named:
            here = slice(at, at + p.numel())
            self.flat[here] = p.data.flatten()
            self.decayed[here] = float(p.ndim > 1)
            p.data, p.grad = self.flat[here].view(p.shape), self.grad[here].view(p.shape)
            if p.ndim == 4 and p.shape[1] > 3:
                self.matrices.append((at, p.shape[0], p[0].numel()))
            self.places[name], at = here, here.stop
        self.start = self.flat.clone()
        self.at = torch.zeros(1, dtype=torch.long, device=DEVICE)
        self.stepped = torch.zeros(MOST_STEPS, STEPPED, device=DEVICE)
        self.tables: dict[int, tuple[Tensor, Tensor]] = {}
        self.graphs: dict[tuple[object, ...], Callable[[], None]] = {}
        self.pool: object = None
        self.cached: Tensor | None = None

    def context(self) -> AbstractContextManager[object]:
        return torch.cuda.stream(self.stream) if self.stream is not None else nullcontext()

    @torch.no_grad()
    def reset(self, start: Tensor) -> None:
        self.flat.copy_(start)
        for vector in (self.first, self.second, self.velocity, self.grad, self.at):
            vector.zero_()

    def table(self, batch: int) -> tuple[Tensor, Tensor]:
        if batch not in self.tables:
            rows = torch.zeros(MOST_STEPS, batch, dtype=torch.long, device=DEVICE)
            self.tables[batch] = rows, torch.ones(MOST_STEPS, batch, DRAWN, device=DEVICE)
        return self.tables[batch]

    def replay(self, size: Size, batch: int, optimiser: str, auto: bool, stage: int | None) -> None:
        """One step, recorded when it is first asked for."""
        key = (size, batch, optimiser, auto, stage)
        if key not in self.graphs:
            self.graphs[key] = self._recorded(lambda: self._step(size, batch, optimiser, auto, stage))
        self.graphs[key]()

    def _recorded(self, step: Callable[[], None]) -> Callable[[], None]:
        if not CUDA:
            return step
        kept = [t.clone() for t in self._changing()]
        step()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            step()
        self.pool = graph.pool()
        with torch.no_grad():
            for now, before in zip(self._changing(), kept, strict=True):
                now.copy_(before)
        return graph.replay

    def _changing(self) -> list[Tensor]:
        return [self.flat, self.first, self.second, self.velocity, self.at]

    def _step(self, size: Size, batch: int, optimiser: str, auto: bool, stage: int | None) -> None:
        all_rows, all_drawn = self.table(batch)
        rows = all_rows.index_select(0, self.at)[0]
        stepped = self.stepped.index_select(0, self.at)[0]
        self.grad.zero_()
        self.network.train()
        if stage is not None:
            assert self.cached is not None
            photos = self.labels.shape[0]
            x, labels = self.cached.index_select(0, rows).to(KIND), self.labels.index_select(0, rows % photos)
            share = stepped[SHARE] * 0 + 1
        else:
            drawn = all_drawn.index_select(0, self.at)[0]
            x, labels = self._views(rows, drawn, size, auto), self.labels.index_select(0, rows)
            x, share = self._mixed(x, stepped)
        for module in self.network.stages()[stage or 0 :]:
            x = module(x)
        log_p = F.log_softmax(self.network.forward_head(x.float()), dim=1)
        own, other = (log_p.gather(1, y[:, None]).mean() for y in (labels, labels.roll(1, 0)))
        right = share * own + (1 - share) * other
        (-(1 - stepped[SMOOTHING]) * right - stepped[SMOOTHING] * log_p.mean()).backward()
        with torch.no_grad():
            self._update(optimiser, stepped)

    def _views(self, rows: Tensor, drawn: Tensor, size: Size, auto: bool) -> Tensor:
        views = cut(self.photos.pixels.index_select(0, rows), drawn[:, BOX], drawn[:, FLIP], size)
        views = coloured(views, drawn[:, COLOUR])
        if auto:
            views = automatic(views, drawn)
        x = (views - MEAN) / STD
        return torch.where(within(drawn[:, ERASED], *size), torch.randn_like(x), x)

    def _mixed(self, x: Tensor, stepped: Tensor) -> tuple[Tensor, Tensor]:
        """MixUp outside of a patch, the other image inside; gives the share of the image itself."""
        others, share = x.roll(1, 0), stepped[SHARE]
        patch = within(stepped[PATCH][None], x.shape[2], x.shape[3])
        x = torch.where(patch, others, others.lerp(x, share))
        return x.to(KIND, memory_format=torch.channels_last), share * (1 - patch.float().mean())

    def _update(self, optimiser: str, stepped: Tensor) -> None:
        g, rate = self.grad, stepped[RATE]
        g.mul_((MAX_NORM / (g.norm() + 1e-6)).clamp(max=1))
        if optimiser == "sgd":
            g.add_(self.flat * self.decayed * stepped[DECAY])
            self.first.mul_(0.9).add_(g)
            self.flat.sub_(rate * self.scale * (g + 0.9 * self.first))
        else:
            self.second.mul_(0.999).addcmul_(g, g, value=0.001)
            if optimiser == "muon":
                steps = [self._orthogonal(g, *place) for place in self.matrices]
            self.first.mul_(0.9).add_(g, alpha=0.1)
            change = self.first / stepped[FIRST] / ((self.second / stepped[SECOND]).sqrt() + 1e-8)
            if optimiser == "muon":
                for (at, rows, columns), step in zip(self.matrices, steps, strict=True):
                    change[at : at + rows * columns] = step
            self.flat.sub_(rate * self.scale * (change + stepped[DECAY] * self.decayed * self.flat))
        self.at.add_(1)

    def _orthogonal(self, g: Tensor, at: int, rows: int, columns: int) -> Tensor:
        """Muon's step (Jordan et al., 2024), scaled to the size of Adam's (Liu et al., arXiv 2502.16982)."""
        here = slice(at, at + rows * columns)
        velocity = self.velocity[here].mul_(0.95).add_(g[here])
        x = (g[here] + 0.95 * velocity).view(rows, columns)
        x = x if rows <= columns else x.T
        x = (x / (x.norm() + 1e-7)).to(KIND)
        for _ in range(5):
            product = x @ x.T
            x = 3.4445 * x + (-4.775 * product + 2.0315 * product @ product) @ x
        x = (x if rows <= columns else x.T).float()
        return x.flatten() * (0.2 * max(rows, columns) ** 0.5)

    @torch.no_grad()
    def maps(self, views: Tensor, stage: int | None = None) -> Tensor:
        """Logits of (n, 3, h, w) float levels; or float16 of what enters a stage."""
        self.network.eval()
        x = normalised(views)
        for module in self.network.stages()[:stage]:
            x = module(x)
        return self.network.forward_head(x.float()) if stage is None else x.half()


def side_by_side(lanes: Sequence[Lane], replays: Sequence[Callable[[Lane], None]]) -> None:
    """Run the same steps on all lanes, each on a stream of its own."""
    if CUDA:
        torch.cuda.synchronize()
    for replay in replays:
        for lane in lanes:
            with lane.context():
                replay(lane)
    if CUDA:
        torch.cuda.synchronize()
