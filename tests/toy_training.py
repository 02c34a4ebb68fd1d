"""A training run that takes no time: two numbers an image, two classes, and a loop with all that belongs to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from small_networks import normal, small_pixels, state_of
from torch import Tensor, nn

from linne.fit.checkpoint import Checkpoints
from linne.fit.groups import Group
from linne.fit.judge import Epoch, Judge, Validate
from linne.fit.level import Level
from linne.fit.losses import CrossEntropy
from linne.fit.mixing import Mix
from linne.fit.optimise import Trainer
from linne.fit.optimisers import Optimiser, make_optimiser
from linne.fit.order import Order
from linne.fit.sources import CachedActivations, Source
from linne.fit.train import Loop, Position
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress, Silent
from linne.records.recipe import Recipe

torch.set_num_threads(torch.get_num_threads())  # as `linne.road.walk` does: the first such call changes how MKL sums

CPU = torch.device("cpu")
RECIPE = Recipe("whole", learning_rate=5e-2, weight_decay=0.01, label_smoothing=0.0)


class Toy(nn.Module):
    """Two numbers an image to two classes."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.layer = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.flatten(1))


def separable(images: int = 64) -> tuple[np.ndarray, np.ndarray]:
    values = normal(images, 2, 1, 1)
    return values.astype(np.float16), (values[:, 0, 0, 0] > values[:, 1, 0, 0]).astype(np.int64)


def trainer_of(module: nn.Module, recipe: Recipe, pretrained: bool = True, steps: int = 1, **given: object) -> Trainer:
    """On the CPU; every trained parameter is decayed."""

    def optimiser() -> Optimiser:
        trained = tuple(p for p in module.parameters() if p.requires_grad)
        return make_optimiser(recipe.optimiser, module, [Group(trained, recipe.weight_decay)])

    pixels: PixelSpec = given.get("pixels", small_pixels())  # type: ignore[assignment]
    loss = given.get("loss", CrossEntropy(recipe.label_smoothing))
    teacher = given.get("teacher")
    return Trainer(module, optimiser, recipe, CPU, pixels, loss, pretrained, steps, teacher)  # type: ignore[arg-type]


class Run:
    """A training run of the toy, or of another module, with what it left.

    `levels` are recipes, one after the other; each gets `source` as its source.
    """

    def __init__(
        self,
        folder: Path,
        epochs: int = 8,
        seed: int = 0,
        batch: int = 16,
        levels: tuple[Recipe, ...] = (RECIPE,),
        make: Callable[[], nn.Module] | None = None,
        mixes: Callable[[int, int], Mix] | None = None,
        sampled: bool = False,
    ) -> None:
        self.folder, self.epochs, self.seed, self.levels, self.mixes = folder, epochs, seed, levels, mixes
        self.values, self.labels = separable()
        self.module = make() if make else Toy(seed)
        self.start = state_of(self.module)
        self.history, self.checkpoints = folder / "history.jsonl", Checkpoints(folder / "last.safetensors", "toy")
        self.kept: list[dict[str, Tensor]] = []
        order = Order.of(len(self.values), batch, seed, self.labels if sampled else None)
        self.source: Source = CachedActivations([self.values], self.labels, order)
        self.validate: Validate = self._validate
        self.done: list[Epoch] = []

    def _validate(self, predict: Callable[[Tensor], Tensor]) -> tuple[np.ndarray, np.ndarray]:
        return predict(torch.from_numpy(self.values).float()).numpy(), np.arange(len(self.values))

    def go(
        self,
        deadline: float | None = None,
        progress: Progress | None = None,
        patience: int = 0,
        now: Callable[[], float] = time.monotonic,
    ) -> str:
        """Train all levels, or go on where a checkpoint is; gives why it stopped."""
        judge = Judge(self.labels, self.history, lambda: self.kept.append(state_of(self.module)), now)
        self.loop = loop = Loop(judge, self.checkpoints, progress or Silent(), self.seed, now, deadline, Position())
        self.done = judge.done
        kept = self.checkpoints.read()
        if kept is None:
            self.history.unlink(missing_ok=True)
        state = {} if kept is None else loop.resume(*kept)
        self.done = judge.done
        stopped = ""
        for number in range(loop.position.level, len(self.levels)):
            loop.position.level = number
            level = self._level(number)
            if state:
                level.trainer.load(state)
            elif judge.best is not None:
                level.trainer.take(judge.best.weights)
            stopped, state = loop.run(level, patience), {}
            if stopped in ("deadline", "interrupt"):
                return stopped
            loop.position = Position(number + 1, level.first + level.epochs, stopped=stopped)
            loop.checkpoint(None)
        return stopped

    def _level(self, number: int) -> Level:
        first, steps = 1 + number * self.epochs, self.epochs * (self.source.images // self.source.batch_size)
        trainer = trainer_of(self.module, self.levels[number], steps=steps)
        named = partial("image {} of {}".format)
        return Level(trainer, self.source, self.validate, first, self.epochs, self.mixes, lambda e, b: [named(b, e)])

    @property
    def best(self) -> Epoch:
        assert self.loop.judge.best is not None
        return self.loop.judge.best.epoch

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.history.read_text().splitlines()]
