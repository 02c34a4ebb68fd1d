"""A level of training, put together: its sources, its validation, its trainer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from linne.embed.backends import device
from linne.embed.embedding import activations
from linne.embed.measure import Pick
from linne.fit.class_weights import inverse_frequency, log_prior, positive_weights
from linne.fit.decoded import Pictures
from linne.fit.groups import parameter_groups
from linne.fit.growth import Growth
from linne.fit.judge import Validate
from linne.fit.level import Level
from linne.fit.losses import BinaryCrossEntropy, CrossEntropy
from linne.fit.mixing import mix_of
from linne.fit.optimise import Trainer
from linne.fit.optimisers import make_optimiser
from linne.fit.order import Order
from linne.fit.policy import Policy
from linne.fit.probe import Probe
from linne.fit.processes import ALONE, Processes
from linne.fit.resident import ResidentImages, can_be_cut_at_once
from linne.fit.sharded import shard
from linne.fit.sources import AugmentedImages, CachedActivations, Source
from linne.fit.stopping import stopping
from linne.fit.tail import Tail
from linne.fit.teacher import Teacher
from linne.nets.blocks.drop_path import DropPath, set_drop_path
from linne.pixels.cache import PixelCache
from linne.records.errors import LinneError, Stopped
from linne.records.index import TRAIN, VALIDATION
from linne.records.plan import Plan
from linne.records.progress import Progress
from linne.records.recipe import Recipe
from linne.records.split import Split
from linne.records.task import Task
from linne.records.truth import task_of, truth_of
from linne.road.activations import Activations, views_of
from linne.road.look import Material
from linne.road.validating import on_arrays, on_files

NAMED = 3
"""Images of a batch that are named where its loss is no number."""


@dataclass(frozen=True)
class Start:
    """What training starts from: all that was made before it.

    `probe` is None without pretrained weights, and in all processes but the first. `digest` ``(n, 16)`` is of each
    row's file, `elapsed` gives seconds since the run began, and `deadline` is on that
    clock. `views` are those of a first level of 'stages', where they were made before.
    """

    material: Material
    plan: Plan
    probe: Probe | None
    split: Split
    digest: NDArray[np.uint8]
    store: Path
    cache_size: int
    teacher: Teacher | None
    backend: Pick | None
    elapsed: Callable[[], float]
    deadline: float | None
    processes: Processes = ALONE
    views: list[Activations] | None = None

    def late(self) -> bool:
        """Whether training must be over."""
        return self.deadline is not None and self.elapsed() > self.deadline


def make_level(
    start: Start, number: int, pixel_cache: PixelCache | None, failed: dict[int, str], progress: Progress
) -> Level:
    """Put sources, validation and trainer of a level together."""
    plan, index = start.plan, start.material.index
    recipe, network = plan.levels[number], start.material.choice.network
    first = 1 + sum(level.epochs for level in plan.levels[:number])
    rows = start.split.rows(TRAIN)
    labels = truth_of(index, rows)
    order = Order.of(len(rows), recipe.batch_size, plan.seed, labels if recipe.balance == "sampling" else None)
    if start.processes.shard:
        network = copy.deepcopy(network)
    drops = [] if start.processes.shard else [part for part in network.modules() if isinstance(part, DropPath)]
    rates = [part.rate for part in drops]
    if recipe.drop_path is not None:
        set_drop_path(network, recipe.drop_path)
    pretrained = start.material.choice.pretrained
    teacher = None if recipe.method == "stages" else start.teacher
    both_heads = teacher is not None and hasattr(network, "forward_heads")
    tail = Tail(network, recipe.frozen_stages if recipe.method == "stages" else 0, both_heads)
    if start.processes.shard:
        if recipe.optimiser == "muon":
            raise LinneError("needs whole matrices", value="muon", remedy="take another optimiser, or do not --shard")
        shard(tail, network.stages(), start.processes, device())  # type: ignore[operator]
    groups = parameter_groups(network, tail.stage, recipe.weight_decay, recipe.layer_decay)
    steps = recipe.epochs * max(order.images // order.batch_size, 1)
    loss = _loss(recipe, index.counts(rows), len(rows), task_of(index))
    optimiser = partial(make_optimiser, recipe.optimiser, network, groups)
    trainer = Trainer(tail, optimiser, recipe, device(), plan.pixels, loss, pretrained, steps, teacher, start.processes)
    # What is trained has copies of these, but in pieces, and the next level its own rate, or the network's.
    for part, rate in zip(drops, rates, strict=True):
        part.rate = rate
    own = replace(order, processes=start.processes)
    source, validate, interrupted = _sources(start, recipe, own, first, pixel_cache, failed, progress)
    mixes = recipe.mix and recipe.method != "stages"

    def named(epoch: int, batch: int) -> list[str]:
        return [index.path(int(rows[place])) for place in order.batches(epoch)[batch][:NAMED]]

    mix = partial(mix_of, plan.seed) if mixes else None
    return Level(trainer, source, validate, first, recipe.epochs, mix, named, interrupted)


def _loss(recipe: Recipe, counts: NDArray[np.int64], images: int, task: Task) -> CrossEntropy | BinaryCrossEntropy:
    """The loss, told of rare classes as the recipe says; `counts` are training images of each class, of `images`."""
    counted = torch.from_numpy(counts)
    if task == "multi":
        positive = positive_weights(counted, images) if recipe.balance == "weights" else None
        return BinaryCrossEntropy(recipe.label_smoothing, positive).on(device())
    weights = inverse_frequency(counted) if recipe.balance == "weights" else None
    added = log_prior(counted) if recipe.balance == "logits" else None
    return CrossEntropy(recipe.label_smoothing, weights, added).on(device())


def _sources(
    start: Start,
    recipe: Recipe,
    order: Order,
    first: int,
    pixel_cache: PixelCache | None,
    failed: dict[int, str],
    progress: Progress,
) -> tuple[Source, Validate, bool]:
    """What is trained and validated on, and whether Ctrl-C came before all of it was there."""
    material, plan, digest = start.material, start.plan, start.digest
    index, rows, held = material.index, start.split.rows(TRAIN), start.split.rows(VALIDATION)
    if recipe.method == "stages":
        assert material.backbone is not None  # noqa: S101 - stages are those of pretrained weights
        if recipe.views > 1 and not start.processes.alone:
            raise LinneError("several views are made by one process", value=recipe.views, remedy="give --set views=1")
        frozen, interrupted = material.backbone, False
        try:
            with stopping() as told:  # a race is to go on after Ctrl-C, which is a signal there
                views = start.views or stored_views(start, recipe, failed, progress, lambda: bool(told) or start.late())
            if told:
                raise Stopped(told[0])
        except KeyboardInterrupt:
            if not start.processes.alone:
                raise
            views, interrupted = [activations(frozen, recipe.frozen_stages, digest[rows], start.store)], True
        source: Source = CachedActivations(views, truth_of(index, rows), order)
        own = start.processes.part(np.arange(len(held)))
        # A process may have none of few images.
        kept = activations(frozen, recipe.frozen_stages, digest[held[own]], start.store) if len(own) else views[0][:0]
        return source, on_arrays(kept, own, start.processes), interrupted
    pictures = Pictures(index, plan.pixels.channels, pixel_cache, digest)
    policy, on_cpu = Policy.named(recipe.augment, plan.flip), device().type == "cpu"
    growth = Growth(plan.pixels, recipe.first_side, recipe.last_side, first, recipe.epochs)
    images = AugmentedImages(pictures, truth_of(index), rows, growth, policy, order, on_cpu, failed)
    source = ResidentImages(images, device()) if not on_cpu and can_be_cut_at_once(plan.pixels, policy) else images
    return source, on_files(index, held, digest, plan.pixels, failed, start.processes), False


def stored_views(
    start: Start, recipe: Recipe, failed: dict[int, str], progress: Progress, late: Callable[[], bool]
) -> list[Activations]:
    """What enters the first trained stage for each view that a level of 'stages' asks for, of all training images.

    `failed` and `late` are those of `linne.road.activations.views_of`.
    """
    assert start.material.backbone is not None  # noqa: S101 - stages are those of pretrained weights
    return views_of(
        start.material.backbone,
        recipe.frozen_stages,
        start.material.index,
        start.split.rows(TRAIN),
        start.digest,
        Policy.named("light", start.plan.flip),
        recipe.views,
        start.backend,
        start.plan.seed,
        start.store,
        progress,
        failed,
        late,
    )
