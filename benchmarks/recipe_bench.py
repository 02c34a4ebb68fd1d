"""Recipes trained on all folds side by side, and judged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from lanes import Lane, side_by_side
from numpy.typing import NDArray
from recipe_draws import draws, stepped
from recipe_list import BASE, Config
from table_views import BOX, DEVICE, DRAWN, FLIP, Photos, Size, cut, seen


@dataclass(frozen=True)
class Material:
    """Photos, their labels, and a pretrained network of `with_units` with a classifier of the right size."""

    photos: Photos
    labels: torch.Tensor
    network: torch.nn.Module

    @property
    def everyone(self) -> torch.Tensor:
        return torch.arange(len(self.labels), device=DEVICE)


def features(material: Material, size: Size) -> torch.Tensor:
    """(n, channels) float32: the last maps' means of whole photos."""
    lane = Lane(material.network, material.photos, material.labels)
    last = len(lane.network.stages())
    return torch.cat(
        [
            lane.maps(seen(material.photos, rows, size), last).float().mean(dim=(2, 3))
            for rows in material.everyone.split(256)
        ]
    )


class Bench:
    """The lanes of one process, a fold each.

    Parameters
    ----------
    material : Material
    fold : (n,) int64 array
    probes : list of (weight, bias)
        The classifier that each fold begins with.
    searching : bool
        Let cuDNN search for the fastest convolutions for the steps that most recipes share. On an H100 that takes some
        30 s of a CPU; without it cuDNN takes what it thinks fastest.
    """

    def __init__(
        self,
        material: Material,
        fold: NDArray[np.int64],
        probes: list[tuple[torch.Tensor, torch.Tensor]],
        searching: bool,
    ) -> None:
        self.material, self.searching = material, searching
        self.lanes = [Lane(material.network, material.photos, material.labels) for _ in probes]
        self.trained = [np.flatnonzero(fold != each) for each in range(len(probes))]
        self.held = [torch.from_numpy(np.flatnonzero(fold == each)).to(DEVICE) for each in range(len(probes))]
        self.published = self.lanes[0].flat.clone()
        self.starts = []
        for lane, (weight, bias) in zip(self.lanes, probes, strict=True):
            start = self.published.clone()
            start[lane.places["classifier.weight"]], start[lane.places["classifier.bias"]] = weight.flatten(), bias
            self.starts.append(start)
        self.firsts: dict[Config, tuple[list[torch.Tensor], float]] = {}
        self.stored: dict[tuple[int, int, Size], torch.Tensor] = {}

    def run(self, config: Config) -> Iterator[dict[str, object]]:
        """Train, and give what a recipe has come to: an object for each size that it is judged at."""
        starts, before = self.starts, 0.0
        if config.first is not None:
            if config.first not in self.firsts:
                seconds = self._train(config.first, starts)
                self.firsts[config.first] = [lane.flat.clone() for lane in self.lanes], seconds
            starts, before = self.firsts[config.first]
        seconds = self._train(config, starts)
        for size in config.judged:
            logits = self._judged(size)
            yield {
                "name": config.name,
                "seen": str(size[0]),
                **self._scored(logits),
                "epochs": config.epochs,
                "seconds": round(seconds, 2),
                "before": round(before, 2),
                "searched": self.searching,
            }

    def _judged(self, size: Size) -> torch.Tensor:
        """Logits (n, classes): of each photo by the lane that did not train on it."""
        logits = torch.zeros(len(self.material.labels), len(self.lanes[0].network.classifier.bias), device=DEVICE)
        for lane, held in zip(self.lanes, self.held, strict=True):
            for rows in held.split(256):
                logits[rows] = lane.maps(seen(self.material.photos, rows, size))
        return logits

    def _train(self, config: Config, starts: list[torch.Tensor]) -> float:
        """Train all lanes; give the seconds, with those of storing views and recording steps where that is new."""
        begun, batch = time.perf_counter(), config.batch
        sizes = self.material.photos.sizes.cpu().numpy()
        an_epoch = min(len(rows) for rows in self.trained) // batch
        steps = an_epoch * config.epochs
        rng = np.random.default_rng(1000 * config.seed + 1)
        torch.manual_seed(config.seed)  # of dropout before the classifier, and of what fills erased places
        cached = None if config.stage is None else self._cached(config)
        for lane, trained, start in zip(self.lanes, self.trained, starts, strict=True):
            lane.reset(start)
            if steps == 0:
                continue
            rows = np.concatenate([rng.permutation(trained)[: an_epoch * batch] for _ in range(config.epochs)])
            all_rows, all_drawn = lane.table(batch)
            if cached is None:
                drawn = draws(config, sizes[rows], rng).reshape(steps, batch, DRAWN)
                all_drawn[:steps] = torch.from_numpy(drawn).to(DEVICE)
            else:
                if lane.cached is None or lane.cached.data_ptr() != cached.data_ptr():
                    lane.graphs = {key: graph for key, graph in lane.graphs.items() if key[-1] is None}
                lane.cached = cached
                rows = rows + len(sizes) * rng.integers(0, config.views, len(rows))
            all_rows[:steps] = torch.from_numpy(rows.reshape(steps, batch)).to(DEVICE)
            lane.stepped[:steps] = torch.from_numpy(stepped(config, steps, rng)).to(DEVICE)
            self._scale(lane, config)
        stage, auto = config.stage, config.trivial
        replays = [
            lambda lane, size=size: lane.replay(size, batch, config.optimiser, auto, stage)
            for step in range(steps)
            for size in [config.sides[step * len(config.sides) // steps]]
        ]
        usual = (config.sides, batch, stage, auto) == (BASE.sides, BASE.batch, BASE.stage, BASE.trivial)
        torch.backends.cudnn.benchmark = self.searching and usual
        side_by_side(self.lanes, replays)
        torch.backends.cudnn.benchmark = False
        return time.perf_counter() - begun

    def _scale(self, lane: Lane, config: Config) -> None:
        """Factors of the rate: none before the first stage that is trained, and less the earlier a stage."""
        stages = lane.network.stages()
        owner = {id(p): i for i, stage in enumerate(stages) for p in stage.parameters()}
        for name, p in lane.named:
            i = owner.get(id(p), len(stages))
            frozen = config.stage is not None and i < config.stage
            lane.scale[lane.places[name]] = 0.0 if frozen else config.layer_decay ** (len(stages) - i)

    def _cached(self, config: Config) -> torch.Tensor:
        """(views * n, c, h, w) float16: what enters the stage; the photo, mirrored, then crops."""
        size, stage = config.sides[0], config.stage
        assert stage is not None
        key = (stage, config.views, size)
        if key not in self.stored:
            lane, photos = self.lanes[0], self.material.photos
            lane.reset(self.published)
            rng, sizes = np.random.default_rng(7), photos.sizes.cpu().numpy()
            parts = []
            for view in range(config.views):
                drawn = torch.from_numpy(draws(config, sizes, rng)).to(DEVICE)
                for rows in self.material.everyone.split(256):
                    if view < 2:
                        views = seen(photos, rows, size, view == 1)
                    else:
                        views = cut(photos.pixels[rows], drawn[rows, BOX], drawn[rows, FLIP], size)
                    parts.append(lane.maps(views, stage))
            self.stored = {key: torch.cat(parts).contiguous(memory_format=torch.channels_last)}
        return self.stored[key]

    def _scored(self, logits: torch.Tensor) -> dict[str, object]:
        labels = self.material.labels
        losses, right = F.cross_entropy(logits, labels, reduction="none"), logits.argmax(1) == labels
        return {
            "photos": len(labels),
            "accuracy": [round(float(right[held].float().mean()), 5) for held in self.held],
            "loss": round(float(losses.mean()), 4),
            "right": np.packbits(right.cpu().numpy()).tobytes().hex(),
        }
