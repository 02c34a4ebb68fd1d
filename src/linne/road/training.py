"""The training step of the road: sources, validation and the network's start, put before the loop."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from linne.embed.backends import device
from linne.embed.embedding import activations
from linne.embed.measure import Pick
from linne.fit.checkpoint import Checkpoints
from linne.fit.class_weights import inverse_frequency, log_prior, positive_weights
from linne.fit.decoded import Pictures
from linne.fit.groups import parameter_groups
from linne.fit.growth import Growth
from linne.fit.judge import Judge, Predict, Validate
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
from linne.fit.sources import AugmentedImages, CachedActivations, Source, prepared_batches
from linne.fit.tail import Tail, without_prefix
from linne.fit.teacher import Teacher, keep_two_heads
from linne.fit.train import Level, Loop, Position
from linne.nets.blocks.drop_path import DropPath, set_drop_path
from linne.nets.weights import write_weights
from linne.pixels.cache import FOLDER, PixelCache
from linne.records import fingerprint
from linne.records.epoch import Epoch
from linne.records.errors import DataError, LinneError, RunError
from linne.records.index import TRAIN, VALIDATION, Index
from linne.records.pixel_spec import PixelSpec
from linne.records.plan import Plan
from linne.records.progress import Progress
from linne.records.recipe import Recipe
from linne.records.run import Run
from linne.records.split import Split
from linne.records.task import Task
from linne.records.truth import task_of, truth_of
from linne.road.activations import views_of
from linne.road.look import Material

VALIDATION_BATCH = 64

NAMED = 3
"""Images of a batch that are named where its loss is no number."""


@dataclass(frozen=True)
class Start:
    """What training starts from: all that was made before it.

    `probe` is None without pretrained weights, and in all processes but the first. `digest` ``(n, 16)`` is of each
    row's file, `elapsed` gives seconds since the run began, and `deadline` is on that
    clock.
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


def train_network(
    start: Start, run: Run, progress: Progress, listeners: Sequence[Callable[[Epoch], None]] = ()
) -> dict[str, Any]:
    """Give the network its classifier and train it, level by level; afterwards it holds the best weights.

    Where the run has a checkpoint, it goes on from that. Several processes do this together, each with a part of the
    images; the first one writes, and tells each of the `listeners` every epoch, who end the training by what they
    raise.

    Returns
    -------
    dict
        'method' ('probe' where training did not better it), 'epoch', 'accuracy', 'log_loss', 'average_precision' (of
        several labels), 'stopped', and 'left_out': paths of images that could not be read any more, or were changed,
        and why.
    """
    plan, probe, index, processes = start.plan, start.probe, start.material.index, start.processes
    network = start.material.choice.network
    torch.manual_seed(plan.seed)
    network.replace_head(len(index.labels))  # type: ignore[operator]
    if probe is not None:
        install(network, probe)
    if start.teacher is not None:
        keep_two_heads(network, len(index.labels))

    def keep() -> None:
        if processes.shard and loop.judge.best is not None:  # the network that is trained is a copy in pieces
            network.load_state_dict(without_prefix(loop.judge.best.weights))
        if processes.first:
            write_weights(run.checkpoint, network, plan.network, plan.pixels)

    if not plan.levels and probe is not None:
        keep()
        return {"method": "probe", "epoch": 0, **scores_of(probe), "stopped": "", "left_out": {}}
    truth = truth_of(index, start.split.rows(VALIDATION))
    checkpoints = Checkpoints(run.state, _fingerprint(plan, start.split))
    loop = Loop(
        judge=Judge(truth, run.history, keep, start.elapsed, processes, (progress.epoch, *listeners)),
        checkpoints=checkpoints,
        progress=progress,
        seed=plan.seed,
        now=start.elapsed,
        deadline=start.deadline,
        position=Position(),
        processes=processes,
    )
    kept = checkpoints.read()
    state: dict[str, Tensor] = {}
    if kept is None:
        if processes.first:
            run.history.unlink(missing_ok=True)
    else:
        state = loop.resume(*kept)
        progress.say(f"training goes on: epoch {loop.position.epoch}, batch {loop.position.batches + 1}")
    _refuse_other_position(loop)
    pixel_cache = _pixel_cache(start)
    failed: dict[int, str] = {}
    stopped = ""
    try:
        for number in range(loop.position.level, len(plan.levels)):
            loop.position.level = number
            processes.equalise(network)
            level = make_level(start, number, pixel_cache, failed, progress)
            if state:
                level.trainer.load(state)
            elif loop.judge.best is not None:
                level.trainer.take(loop.judge.best.weights)
            stopped = loop.run(level, plan.levels[number].patience)
            state = {}
            if stopped in ("deadline", "interrupt"):
                break
            loop.position = Position(number + 1, level.first + level.epochs)
            loop.checkpoint(None)
    finally:
        if pixel_cache is not None:
            if not pixel_cache.keeps:
                progress.say(f"pixel cache: {pixel_cache.problem}; some images are decoded anew in each epoch")
            pixel_cache.close()
    for others in processes.gather(json.dumps(list(failed.items())).encode()):
        failed |= dict(json.loads(others))
    left_out = {index.path(row): reason for row, reason in failed.items()}
    if left_out:
        progress.say(f"left out: {len(left_out)} images, such as {next(iter(left_out.values()))}")
    assert loop.judge.best is not None  # noqa: S101 - a level has been run, or was before
    network.load_state_dict(without_prefix(loop.judge.best.weights))
    keep()
    best = loop.judge.best.epoch
    return {
        "method": "probe" if best.epoch == 0 and probe is not None else plan.levels[best.level].method,
        "epoch": best.epoch,
        **scores_of(best),
        "stopped": stopped,
        "left_out": left_out,
    }


def _fingerprint(plan: Plan, split: Split) -> str:
    """Of all that a checkpoint's meaning depends on."""
    levels = [level.to_json() for level in plan.levels]
    weights, pixels = plan.weights_fingerprint, plan.pixels.fingerprint
    return fingerprint.of_settings([plan.network, weights, pixels, levels, plan.flip, plan.seed, split.fingerprint])


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
    own = [(part, part.rate) for part in network.modules() if isinstance(part, DropPath)]
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
    for part, rate in own:  # the next level has its own, or the network's
        part.rate = rate
    order = replace(order, processes=start.processes)
    source, validate = _sources(start, recipe, order, first, pixel_cache, failed, progress)
    mixes = recipe.mix and recipe.method != "stages"

    def named(epoch: int, batch: int) -> list[str]:
        return [index.path(int(rows[place])) for place in order.batches(epoch)[batch][:NAMED]]

    mix = partial(mix_of, plan.seed) if mixes else None
    return Level(trainer, source, validate, first, recipe.epochs, mix, named)


def scores_of(found: Probe | Epoch) -> dict[str, float]:
    """Accuracy and log loss of a classifier, and average precision where there is one, for ``run.json``."""
    told = {"accuracy": found.accuracy, "log_loss": found.log_loss}
    return told if found.average_precision is None else {**told, "average_precision": found.average_precision}


def refuse_for_several_labels(plan: Plan, taught: bool) -> None:
    """Raise `LinneError` where a plan has what only one label an image gives a meaning."""
    for level in plan.levels:
        if level.balance in ("sampling", "logits"):
            remedy = "give none, or weights"
            raise LinneError("balance cannot be that for several labels an image", value=level.balance, remedy=remedy)
    if taught:
        raise LinneError("a teacher's answers are of one label an image", remedy="leave --teacher away")


def _loss(recipe: Recipe, counts: NDArray[np.int64], images: int, task: Task) -> CrossEntropy | BinaryCrossEntropy:
    """The loss, told of rare classes as the recipe says; `counts` are training images of each class, of `images`."""
    counted = torch.from_numpy(counts)
    if task == "multi":
        positive = positive_weights(counted, images) if recipe.balance == "weights" else None
        return BinaryCrossEntropy(recipe.label_smoothing, positive).on(device())
    weights = inverse_frequency(counted) if recipe.balance == "weights" else None
    added = log_prior(counted) if recipe.balance == "logits" else None
    return CrossEntropy(recipe.label_smoothing, weights, added).on(device())


def _pixel_cache(start: Start) -> PixelCache | None:
    """Open the cache of pixels, where an image is seen more than once."""
    plan = start.plan
    levels = [level for level in plan.levels if level.method != "stages"]
    if not levels or sum(level.epochs for level in levels) < 2 or start.cache_size == 0:
        return None
    side = Policy.named(levels[0].augment, plan.flip).cache_side(plan.pixels)
    if not start.processes.first:
        start.processes.wait()  # one writes it: who comes first
    cache = PixelCache(start.store / FOLDER, start.digest, plan.pixels.channels, side, start.cache_size)
    if start.processes.first:
        start.processes.wait()
    return cache


def install(network: nn.Module, probe: Probe) -> None:
    """Make the probe the network's classifier."""
    with torch.no_grad():
        network.classifier.weight.copy_(torch.from_numpy(probe.weight))  # type: ignore[union-attr,operator]
        network.classifier.bias.copy_(torch.from_numpy(probe.bias))  # type: ignore[union-attr,operator]


def _sources(
    start: Start,
    recipe: Recipe,
    order: Order,
    first: int,
    pixel_cache: PixelCache | None,
    failed: dict[int, str],
    progress: Progress,
) -> tuple[Source, Validate]:
    material, plan, digest = start.material, start.plan, start.digest
    index, rows, held = material.index, start.split.rows(TRAIN), start.split.rows(VALIDATION)
    if recipe.method == "stages":
        assert material.backbone is not None  # noqa: S101 - stages are those of pretrained weights
        if recipe.views > 1 and not start.processes.alone:
            raise LinneError("several views are made by one process", value=recipe.views, remedy="give --set views=1")
        frozen, stage = material.backbone, recipe.frozen_stages
        policy = Policy.named("light", plan.flip)
        views = views_of(
            frozen,
            stage,
            index,
            rows,
            digest,
            policy,
            recipe.views,
            start.backend,
            plan.seed,
            start.store,
            progress,
        )
        source: Source = CachedActivations(views, truth_of(index, rows), order)
        own = start.processes.part(np.arange(len(held)))
        kept = activations(frozen, stage, digest[held[own]], start.store)
        return source, on_arrays(kept, own, start.processes)
    pictures = Pictures(index, plan.pixels.channels, pixel_cache, digest)
    policy, on_cpu = Policy.named(recipe.augment, plan.flip), device().type == "cpu"
    growth = Growth(plan.pixels, recipe.first_side, recipe.last_side, first, recipe.epochs)
    images = AugmentedImages(pictures, truth_of(index), rows, growth, policy, order, on_cpu, failed)
    source = ResidentImages(images, device()) if not on_cpu and can_be_cut_at_once(plan.pixels, policy) else images
    return source, on_files(index, held, digest, plan.pixels, failed, start.processes)


def on_arrays(values: NDArray[np.float16], places: NDArray[np.int64], processes: Processes = ALONE) -> Validate:
    """Validate on stored activations ``(n, c, h, w)`` of the images at `places`, which are this process's."""
    in_step = _in_step(len(places), values.shape[1:], processes)

    def validate(predict: Predict) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        starts = range(0, len(values), VALIDATION_BATCH)
        batches = (torch.from_numpy(values[i : i + VALIDATION_BATCH]).float() for i in starts)
        logits = [predict(batch).numpy() for batch in batches]
        in_step(predict, len(logits))
        return _all_of(logits, [places], processes)

    return validate


def on_files(
    index: Index,
    rows: NDArray[np.int64],
    digest: NDArray[np.uint8],
    pixels: PixelSpec,
    failed: dict[int, str],
    processes: Processes = ALONE,
) -> Validate:
    """Validate on the files of some rows; `failed` takes those that cannot be read any more, and why."""
    own = processes.part(np.arange(len(rows)))
    in_step = _in_step(len(own), (pixels.channels, pixels.height, pixels.width), processes)

    def validate(predict: Predict) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        logits, seen = [], []
        there = own[~np.isin(rows[own], list(failed))]  # what has failed once stays out
        for places, inputs in prepared_batches(index, rows[there], digest, pixels, VALIDATION_BATCH, failed):
            logits.append(predict(torch.from_numpy(inputs)).numpy())
            seen.append(there[places])
        in_step(predict, len(logits))
        everything, everyone = _all_of(logits, seen, processes)
        if not len(everyone):
            raise DataError(
                "no validation image can be read any more",
                value=next(iter(failed.values()), None),
                remedy="put the images back where they were",
            )
        return everything, everyone

    return validate


def _in_step(images: int, shape: tuple[int, ...], processes: Processes) -> Callable[[Predict, int], None]:
    """Where all processes must compute at once, let one that has done fewer batches than others compute blanks."""
    batches = 0
    if processes.shard:
        largest = -(-int(processes.sums([images])[0]) // processes.world)
        batches = -(-largest // VALIDATION_BATCH)

    def catch_up(predict: Predict, done: int) -> None:
        for _ in range(done, batches):
            predict(torch.zeros(1, *shape))

    return catch_up


def _all_of(
    logits: list[NDArray[np.float32]], seen: list[NDArray[np.int64]], processes: Processes
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What all processes have seen, in the order of images, since each has a piece of them."""
    scores = b"".join(processes.gather(b"".join(part.tobytes() for part in logits)))
    places = np.frombuffer(b"".join(processes.gather(b"".join(part.tobytes() for part in seen))), np.int64)
    return np.frombuffer(scores, np.float32).reshape(max(len(places), 1), -1)[: len(places)], places


def _refuse_other_position(loop: Loop) -> None:
    """Raise where the processes have not read the same checkpoint."""
    at = loop.position
    own = [at.level, at.epoch, at.batches]
    if loop.processes.told(*own) != own:
        raise RunError(
            "is not the same for all processes",
            file=loop.checkpoints.path,
            value=f"epoch {at.epoch}, batch {at.batches}",
            remedy="put the run on a file system that all machines share",
        )
