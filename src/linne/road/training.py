"""The training step of the road: sources, validation and the network's start, put before the loop."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from linne.embed.backends import device
from linne.embed.embedding import Embedding, activations
from linne.fit.decoded import Pictures
from linne.fit.mixing import mix_of
from linne.fit.optimise import Settings, Trainer
from linne.fit.policy import Policy
from linne.fit.probe import Probe
from linne.fit.resident import ResidentImages, can_be_cut_at_once
from linne.fit.sources import AugmentedImages, CachedActivations, Source, prepared_batches
from linne.fit.tail import Tail
from linne.fit.train import Predict, Validate, train
from linne.nets.weights import write_weights
from linne.pixels.cache import FOLDER, PixelCache
from linne.records.errors import DataError
from linne.records.index import TRAIN, VALIDATION, Index
from linne.records.pixel_spec import PixelSpec
from linne.records.plan import Plan
from linne.records.progress import Progress
from linne.records.run import Run
from linne.records.split import Split
from linne.road.look import Material

VALIDATION_BATCH = 64


def train_network(
    material: Material,
    plan: Plan,
    probe: Probe | None,
    split: Split,
    embedding: Embedding,
    cache: Path,
    deadline: float | None,
    run: Run,
    progress: Progress,
    cache_size: int,
) -> dict[str, Any]:
    """Give the network its classifier and train it; afterwards it holds the best weights.

    Returns
    -------
    dict
        'method' ('probe' where training did not better it), 'epoch', 'accuracy', 'log_loss', 'stopped', and
        'left_out': paths of images that could not be read any more, or were changed, and why.
    """
    network, index = material.choice.network, material.index
    torch.manual_seed(plan.seed)
    network.replace_head(len(index.labels))  # type: ignore[operator]
    if probe is not None:
        install(network, probe)
    if plan.epochs == 0 and probe is not None:
        write_weights(run.checkpoint, network, plan.network, plan.pixels)
        scores = {"accuracy": probe.accuracy, "log_loss": probe.log_loss}
        return {"method": "probe", "epoch": 0, **scores, "stopped": "", "left_out": {}}
    settings = Settings(
        plan.learning_rate,
        plan.weight_decay,
        plan.label_smoothing,
        plan.precision,
        pretrained=probe is not None,
    )
    first = plan.frozen_stages if plan.method == "stages" else 0
    trainer = Trainer(Tail(network, first), settings, device(), plan.pixels)
    mixes = plan.mix and plan.method in ("whole", "scratch")
    pixel_cache = _pixel_cache(plan, embedding, cache, cache_size)
    try:
        source, validate = _sources(material, plan, split, embedding, cache, pixel_cache)
        outcome = train(
            trainer,
            source,
            plan.epochs,
            validate,
            index.label[split.rows(VALIDATION)].astype(np.int64),
            deadline,
            run.history,
            lambda: write_weights(run.checkpoint, network, plan.network, plan.pixels),
            progress,
            partial(mix_of, plan.seed) if mixes else None,
        )
    finally:
        if pixel_cache is not None:
            if not pixel_cache.keeps:
                progress.say(f"pixel cache: {pixel_cache.problem}; some images are decoded anew in each epoch")
            pixel_cache.close()
    left_out = {index.path(row): reason for row, reason in source.failed.items()}
    if left_out:
        progress.say(f"left out: {len(left_out)} images, such as {next(iter(left_out.values()))}")
    best = outcome.best
    return {
        "method": "probe" if best.epoch == 0 and probe is not None else plan.method,
        "epoch": best.epoch,
        "accuracy": best.accuracy,
        "log_loss": best.log_loss,
        "stopped": outcome.stopped,
        "left_out": left_out,
    }


def _pixel_cache(plan: Plan, embedding: Embedding, cache: Path, size: int) -> PixelCache | None:
    """Open the cache of pixels, where an image is seen more than once."""
    if plan.method not in ("whole", "scratch") or plan.epochs < 2 or size == 0:
        return None
    digest, side = embedding.passed.digest, Policy.named(plan.augment, plan.flip).cache_side(plan.pixels)
    return PixelCache(cache / FOLDER, digest, plan.pixels.channels, side, size)


def install(network: nn.Module, probe: Probe) -> None:
    """Make the probe the network's classifier."""
    with torch.no_grad():
        network.classifier.weight.copy_(torch.from_numpy(probe.weight))  # type: ignore[union-attr,operator]
        network.classifier.bias.copy_(torch.from_numpy(probe.bias))  # type: ignore[union-attr,operator]


def _sources(
    material: Material, plan: Plan, split: Split, embedding: Embedding, cache: Path, pixel_cache: PixelCache | None
) -> tuple[Source, Validate]:
    index, digest = material.index, embedding.passed.digest
    rows, held = split.rows(TRAIN), split.rows(VALIDATION)
    if plan.method == "stages" and material.backbone is not None:
        stored = activations(material.backbone, plan.frozen_stages, digest[rows], cache)
        labels = index.label[rows].astype(np.int64)
        source: Source = CachedActivations(stored, labels, plan.batch_size, plan.seed)
        return source, on_arrays(activations(material.backbone, plan.frozen_stages, digest[held], cache))
    pictures = Pictures(index, plan.pixels.channels, pixel_cache, digest)
    policy, on_cpu = Policy.named(plan.augment, plan.flip), device().type == "cpu"
    images = AugmentedImages(pictures, index.label, rows, plan.pixels, policy, on_cpu, plan.batch_size, plan.seed)
    source = ResidentImages(images, device()) if not on_cpu and can_be_cut_at_once(plan.pixels, policy) else images
    return source, on_files(index, held, digest, plan.pixels, images.failed)


def on_arrays(values: NDArray[np.float16]) -> Validate:
    """Validate on stored activations ``(n, c, h, w)``."""

    def validate(predict: Predict) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        starts = range(0, len(values), VALIDATION_BATCH)
        batches = (torch.from_numpy(values[i : i + VALIDATION_BATCH]).float() for i in starts)
        return np.concatenate([predict(batch).numpy() for batch in batches]), np.arange(len(values))

    return validate


def on_files(
    index: Index, rows: NDArray[np.int64], digest: NDArray[np.uint8], pixels: PixelSpec, failed: dict[int, str]
) -> Validate:
    """Validate on the files of some rows; `failed` takes those that cannot be read any more, and why."""

    def validate(predict: Predict) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        logits, seen = [], []
        there = np.flatnonzero(~np.isin(rows, list(failed)))  # what has failed once stays out
        for places, inputs in prepared_batches(index, rows[there], digest, pixels, VALIDATION_BATCH, failed):
            logits.append(predict(torch.from_numpy(inputs)).numpy())
            seen.append(there[places])
        if not seen:
            raise DataError(
                "no validation image can be read any more",
                value=next(iter(failed.values()), None),
                remedy="put the images back where they were",
            )
        return np.concatenate(logits), np.concatenate(seen)

    return validate
