"""How deep and how long to train on stored activations: validation accuracy by stage and epochs.

The test set takes no part. docs/rooms/fit.md draws on it. Activations are kept in the user's store, as by `linne fit`.

Usage: tails.py PHOTOS WEIGHTS [--epochs 1 3 6] [--seeds 2]
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from harness import Cell, Comparison, Table, main
from numpy.typing import NDArray

from linne.embed.embedding import activations, embed
from linne.fit.checkpoint import Checkpoints
from linne.fit.groups import parameter_groups
from linne.fit.judge import Judge
from linne.fit.level import Level
from linne.fit.losses import CrossEntropy
from linne.fit.optimise import Trainer
from linne.fit.optimisers import make_optimiser
from linne.fit.order import Order
from linne.fit.probe import Probe, fit_probe
from linne.fit.sources import CachedActivations
from linne.fit.tail import Tail
from linne.fit.train import Loop, Position
from linne.records.index import TRAIN, VALIDATION
from linne.records.places import user_cache
from linne.records.progress import Silent
from linne.records.recipe import Recipe
from linne.road.inspection import inspect
from linne.road.look import Material, gather
from linne.road.training import install
from linne.road.validating import on_arrays
from linne.split.assign import make_split

DEEPEST = 3
BATCH = 64
RECIPE = Recipe("stages", batch_size=BATCH, precision="bfloat16")

Labels = NDArray[np.int64]
Values = tuple[NDArray[np.float16], NDArray[np.float16]]


@dataclass(frozen=True)
class Subset:
    """Digests ``(n, 16)`` and labels ``(n,)`` of the images that train or validate."""

    digest: NDArray[np.uint8]
    label: Labels


def prepared(material: Material) -> tuple[Subset, Subset, Probe]:
    """Split without leaks, and give the network the probe as its classifier."""
    index, network = material.index, material.choice.network
    embedding = embed(index, material.backbone, user_cache(), Silent())
    groups = inspect(index, embedding, 0, user_cache(), Silent()).groups
    split = make_split(index, groups, embedding.passed.readable, 0)
    rows, held = split.rows(TRAIN), split.rows(VALIDATION)
    labels, features, digest = index.label.astype(np.int64), embedding.features, embedding.passed.digest
    probe = fit_probe(features[rows], labels[rows], features[held], labels[held])
    network.replace_head(len(index.labels))
    install(network, probe)
    return Subset(digest[rows], labels[rows]), Subset(digest[held], labels[held]), probe


def trained(
    material: Material, stage: int, values: Values, labels: tuple[Labels, Labels], epochs: int, seed: int
) -> tuple[float, float]:
    """The last epoch's accuracy, and seconds; `values` and `labels` are those that train, and those that validate."""
    torch.manual_seed(seed)
    tail = Tail(copy.deepcopy(material.choice.network), stage)
    optimiser = partial(make_optimiser, RECIPE.optimiser, tail.network, parameter_groups(tail.network, stage))
    order = Order.of(len(labels[0]), BATCH, seed)
    steps = epochs * max(order.images // order.batch_size, 1)
    loss, pixels = CrossEntropy(RECIPE.label_smoothing), material.choice.pixels
    trainer = Trainer(tail, optimiser, RECIPE, torch.device("cpu"), pixels, loss, True, steps)
    source = CachedActivations([values[0]], labels[0], order)
    level = Level(trainer, source, on_arrays(values[1]), 1, epochs, None, lambda *_: [])
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder:
        start = time.perf_counter()
        judge = Judge(labels[1], Path(folder, "history"), lambda: None, time.monotonic)
        checkpoints = Checkpoints(Path(folder, "last"), "")
        Loop(judge, checkpoints, Silent(), seed, time.monotonic, None, Position()).run(level, 0)
        return judge.done[-1].accuracy, time.perf_counter() - start


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    material = gather(given.photos, None, given.weights, None, 0, Silent())
    trains, held, probe = prepared(material)
    stages = len(material.choice.network.stages())
    labels = (trains.label, held.label)
    rows: list[tuple[Cell, ...]] = []
    for stage in range(stages - 1, stages - 1 - DEEPEST, -1):
        embed(material.index, material.backbone, user_cache(), Silent(), stage)
        values = tuple(activations(material.backbone, stage, each.digest, user_cache()) for each in (trains, held))
        means, seconds = [], 0.0
        for epochs in given.epochs:
            runs = [trained(material, stage, values, labels, epochs, seed) for seed in range(given.seeds)]
            means.append(round(float(np.mean([accuracy for accuracy, _ in runs])), 3))
            seconds += sum(took for _, took in runs)
        rows.append((f"last {stages - stage}", *means, round(seconds / (sum(given.epochs) * given.seeds), 1)))
    yield Table(
        f"Validation accuracy after training the last stages, mean of {given.seeds} seeds; "
        f"the probe: {probe.accuracy:.3f} of {len(held.label)} images",
        ("stages", *(f"{epochs} epochs" for epochs in given.epochs), "s an epoch"),
        tuple(rows),
    )


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("weights", {"type": Path}),
            ("--epochs", {"type": int, "nargs": "+", "default": [1, 3, 6]}),
            ("--seeds", {"type": int, "default": 2}),
        ],
    )
