"""Recipes trained on all folds side by side, and judged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from lanes import Lane, side_by_side
from numpy.typing import NDArray
from recipe_draws import draws, stepped
from recipe_list import Config
from recipe_photos import FOLDS, probe
from table_views import BOX, DEVICE, DRAWN, FLIP, Photos, Size, cut, seen

SEEN: tuple[tuple[str, Size, str], ...] = (
    ("crop224", (224, 224), "crop"),
    ("160", (160, 160), "stretch"),
    ("192", (192, 192), "stretch"),
    ("224", (224, 224), "stretch"),
    ("256", (256, 256), "stretch"),
    ("256x192", (256, 192), "stretch"),
)
"""How photos are judged: the centre cut out of the photo, or the whole photo stretched."""
AVERAGED = ("192", "224")
"""Where the moving average of weights, and both mirror images, are judged too."""


@dataclass(frozen=True)
class Material:
    photos: Photos
    labels: torch.Tensor
    fold: NDArray[np.int64]
    network: torch.nn.Module


class Bench:
    """The lanes of one process."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.lanes = [Lane(material.network, material.photos, material.labels) for _ in range(FOLDS)]
        self.trained = [np.flatnonzero(material.fold != fold) for fold in range(FOLDS)]
        self.held = [torch.from_numpy(np.flatnonzero(material.fold == fold)).to(DEVICE) for fold in range(FOLDS)]
        self.classes = int(material.labels.max()) + 1
        self.everyone = torch.arange(len(material.fold), device=DEVICE)
        self.starts: dict[str, list[torch.Tensor]] = {}
        self.stored: dict[tuple[int, int, Size, str], torch.Tensor] = {}

    def features(self, size: Size, fit: str, flip: bool = False) -> torch.Tensor:
        lane = self.lanes[0]
        lane.reset(lane.start)
        last = len(lane.network.stages())
        return torch.cat(
            [
                lane.maps(seen(self.material.photos, rows, size, fit, flip), last).float().mean(dim=(2, 3))
                for rows in self.everyone.split(512)
            ]
        )

    def probes(self) -> Iterator[dict[str, object]]:
        """Accuracy of logistic regression, by size and fit; features of both mirror images, too."""
        for name, size, fit in (
            *SEEN,
            ("224 and mirrored", (224, 224), "stretch"),
            ("crop224 and mirrored", (224, 224), "crop"),
        ):
            features = self.features(size, fit)
            mirrored = self.features(size, fit, True) if "mirrored" in name else None
            logits = torch.zeros(len(self.everyone), self.classes, device=DEVICE)
            for trained, held in zip(self.trained, self.held, strict=True):
                rows = torch.from_numpy(trained).to(DEVICE)
                x, y = features[rows], self.material.labels[rows]
                if mirrored is not None:
                    x, y = torch.cat((x, mirrored[rows])), torch.cat((y, y))
                weight, bias = probe(x, y, self.classes)
                logits[held] = F.linear(features[held], weight, bias)
                if mirrored is not None:
                    logits[held] = (logits[held] + F.linear(mirrored[held], weight, bias)) / 2
            yield self._scored(f"probe {name}", "", logits)

    def start(self, fit: str) -> list[torch.Tensor]:
        """Weights with the probe as classifier, a fold each."""
        if fit not in self.starts:
            features = self.features((224, 224), fit)
            self.starts[fit] = []
            for lane, trained in zip(self.lanes, self.trained, strict=True):
                rows, start = torch.from_numpy(trained).to(DEVICE), lane.start.clone()
                weight, bias = probe(features[rows], self.material.labels[rows], self.classes)
                start[lane.places["classifier.weight"]], start[lane.places["classifier.bias"]] = weight.flatten(), bias
                self.starts[fit].append(start)
        return self.starts[fit]

    def run(self, config: Config) -> Iterator[dict[str, object]]:
        if config.first is not None:
            self._train(replace(config.first, seed=config.seed), self.start(config.first.fit))
            starts = [lane.flat.clone() for lane in self.lanes]
        else:
            starts = self.start(config.fit)
        begun = time.perf_counter()
        self._train(config, starts)
        seconds = round(time.perf_counter() - begun, 2)
        for name, size, fit in SEEN:
            plain = self._judged(size, fit)
            yield {**self._scored(config.name, name, plain), "seconds": seconds}
            if name in AVERAGED:
                both = (plain + self._judged(size, fit, flip=True)) / 2
                yield {**self._scored(config.name, f"{name}, mirrored", both), "seconds": seconds}
        for lane in self.lanes:
            lane.flat.copy_(lane.average)
        for name, size, fit in SEEN:
            if name in AVERAGED:
                yield {**self._scored(config.name, f"{name}, average", self._judged(size, fit)), "seconds": seconds}

    def _judged(self, size: Size, fit: str, flip: bool = False) -> torch.Tensor:
        """Logits (n, classes): of each photo by the lane that did not train on it."""
        logits = torch.zeros(len(self.everyone), self.classes, device=DEVICE)
        for lane, held in zip(self.lanes, self.held, strict=True):
            logits[held] = lane.maps(seen(self.material.photos, held, size, fit, flip))
        return logits

    def _train(self, config: Config, starts: list[torch.Tensor]) -> None:
        photos, batch = self.material.photos, config.batch
        sizes = photos.sizes.cpu().numpy()
        an_epoch = min(len(rows) for rows in self.trained) // batch
        steps = an_epoch * config.epochs
        rng = np.random.default_rng(1000 * config.seed + 1)
        cached = None if config.stage is None else self._cached(config)
        for lane, trained, start in zip(self.lanes, self.trained, starts, strict=True):
            lane.reset(start)
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
            lane.stepped[:steps] = torch.from_numpy(stepped(config, steps, an_epoch, rng)).to(DEVICE)
            self._scale(lane, config)
        stage, auto = config.stage, config.trivial
        replays = [
            lambda lane, size=size: lane.replay(size, batch, config.optimiser, config.free, auto, stage)
            for step in range(steps)
            for size in [config.sides[step * len(config.sides) // steps]]
        ]
        side_by_side(self.lanes, replays)

    def _scale(self, lane: Lane, config: Config) -> None:
        """Factors of the rate: none before the first stage that is trained, and less the earlier a stage."""
        stages = lane.network.stages()
        lane.scale.fill_(1.0)
        owner = {id(p): i for i, stage in enumerate(stages) for p in stage.parameters()}
        for name, p in lane.named:
            i = owner.get(id(p), len(stages))
            frozen = config.stage is not None and i < config.stage
            lane.scale[lane.places[name]] = 0.0 if frozen else config.layer_decay ** (len(stages) - i)

    def _cached(self, config: Config) -> torch.Tensor:
        """(views * n, c, h, w) float16: what enters the stage; the photo, mirrored, then crops."""
        size, stage = config.sides[0], config.stage
        assert stage is not None
        key = (stage, config.views, size, config.fit)
        if key not in self.stored:
            lane, photos = self.lanes[0], self.material.photos
            lane.reset(lane.start)
            rng, sizes = np.random.default_rng(7), photos.sizes.cpu().numpy()
            parts = []
            for view in range(config.views):
                drawn = torch.from_numpy(draws(config, sizes, rng)).to(DEVICE)
                for rows in self.everyone.split(512):
                    if view < 2:
                        views = seen(photos, rows, size, config.fit, view == 1)
                    else:
                        views = cut(photos.pixels[rows], drawn[rows, BOX], drawn[rows, FLIP], size)
                    parts.append(lane.maps(views, stage))
            self.stored = {key: torch.cat(parts).contiguous(memory_format=torch.channels_last)}
        return self.stored[key]

    def _scored(self, name: str, how: str, logits: torch.Tensor) -> dict[str, object]:
        labels = self.material.labels
        losses, right = F.cross_entropy(logits, labels, reduction="none"), logits.argmax(1) == labels
        accuracies = [round(float(right[held].float().mean()), 5) for held in self.held]
        bits = np.packbits(right.cpu().numpy()).tobytes().hex()
        return {
            "name": name,
            "seen": how,
            "photos": len(labels),
            "accuracy": accuracies,
            "loss": round(float(losses.mean()), 4),
            "right": bits,
        }
