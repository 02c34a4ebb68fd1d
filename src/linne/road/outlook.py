"""What is known before a plan is made: how long each step takes here, measured or estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from linne.embed.backends import device
from linne.embed.embedding import stored_shares
from linne.embed.measure import Pick
from linne.evaluate.several_labels import ranked_cells
from linne.evaluate.summary import HARDEST
from linne.fit.handedness import mirrored_keeps_label
from linne.fit.levels import VALIDATION_SPEED
from linne.fit.plan import RECIPES, Outlook, refuse_if_too_short
from linne.fit.policy import Policy
from linne.fit.throughput import Rate, tail_rates, whole_rate
from linne.records.index import TEST, TRAIN, VALIDATION
from linne.records.truth import task_of
from linne.report.cases import MOST_PICTURES
from linne.road.budget import Clock
from linne.road.by_hand import refuse_what_cannot_be, sides_of
from linne.road.look import Material
from linne.road.teacher import Teaching
from linne.runtime.cores import available_cores
from linne.runtime.torchrun import started_by_torchrun
from linne.split.assign import TEST_SHARE, VALIDATION_SHARE

BATCH_SIZE = 64
"""With which speed is measured, unless another is chosen by hand."""

MEASURING_SHARE = 0.05
MOST_MEASURING_SECONDS = 20.0
"""Of the time left, for finding out how fast the last stages train, and again for the whole network."""

LOOKING_SECONDS = 0.8e-3
"""Of one core, an image: resize, hash, normalise."""

FROM_STORE_SECONDS = 1e-4
"""An image, where nothing of it is new."""


BOOTSTRAP_SECONDS = 2.5e-4
"""Of the intervals, an image or a class."""


RANKED_SECONDS = 4e-8
"""Of the intervals where images have several labels, an image and a class of each resample."""


WHOLE_NEEDS_SECONDS = {"cpu": 180.0, "cuda": 20.0}
"""With less time than this, training every weight from pretrained ones is not even measured."""


@dataclass(frozen=True)
class Asked:
    """What the user said of the training itself; see `linne.fit`.

    `chosen` are settings of a recipe, checked.
    """

    seed: int
    weights: str | None
    chosen: Mapping[str, Any]
    flip: bool | None
    teaching: Teaching | None = None


def finish_seconds(
    material: Material, backend: Pick | None, whole_rate: float | None = None, slowness: float = 1.0
) -> float:
    """Estimate of what follows training: export, gate, validation, intervals, report.

    `whole_rate` is training images a second of the whole network, where that is what was measured; what was not
    measured takes `slowness` times as long as usual. The validation images pass through the exported network, and some
    of them through the trained one, which is slower. Constants are those that a fit of 3,781 photos took on two cores.
    """
    _, validation = _subset_sizes(material)
    classes, decode = len(material.index.labels), material.sample.seconds
    compute = 0.0 if whole_rate is None else 1 / (VALIDATION_SPEED * whole_rate)
    if backend is not None:
        on_onnx = [rate for way, rate in backend.rates.items() if way.backend == "onnx"]
        compute = 1 / (max(on_onnx, default=0) or backend.rate)
    pictures = (MOST_PICTURES + HARDEST) * decode * available_cores()  # the report's, one after the other
    intervals = BOOTSTRAP_SECONDS * (validation + classes)
    if task_of(material.index) == "multi":
        intervals = RANKED_SECONDS * ranked_cells(validation, classes)
    return 2.0 * validation * compute + slowness * (0.9 + 1.1 * validation * decode + pictures + intervals)


def measured_outlook(
    material: Material, asked: Asked, backend: Pick | None, cache: Path, seconds: float | None, slowness: float
) -> tuple[Outlook, Mapping[int | None, float]]:
    """What plans are made from for runs of so many seconds that find all embedded and measured.

    As much is measured as in such a run, but not out of its time.

    Raises
    ------
    LinneError
        The budget is too short.
    """
    stored = FROM_STORE_SECONDS * len(material.index)
    clock = replace(Clock.starting(seconds), slowness=slowness)
    outlook = outlook_of(material, clock, asked, backend, cache)
    refuse_if_too_short(replace(outlook, embed_seconds={None: stored}))
    measured = with_rates(outlook, material, clock, asked, backend, cache)
    costs = dict.fromkeys(measured.embed_seconds, stored)
    return replace(measured, embed_seconds=costs, seconds_left=seconds, seconds_spent=0.0), measured.embed_seconds


def outlook_of(material: Material, clock: Clock, asked: Asked, backend: Pick | None, cache: Path) -> Outlook:
    """What is known without measuring training: no rates of it; `LinneError` for what was chosen and cannot be done."""
    refuse_what_cannot_be(material.choice, asked.chosen)
    images = len(material.index)
    train, validation = _subset_sizes(material)
    return Outlook(
        pretrained=material.choice.pretrained,
        train_images=train,
        validation_images=validation,
        images=images,
        images_per_class=train / images * float(np.median(material.index.counts())),
        mirrored=mirrored(material, asked)[0],
        seconds_left=clock.left(),
        seconds_spent=clock.elapsed(),
        embed_seconds={None: _embed_seconds(material, backend, cache, None, clock.slowness)},
        other_seconds=_other_seconds(material, backend, clock.slowness),
        stage_rates=(),
        whole_rate=None,
        pixels=material.choice.pixels,
        sides=sides_of(material.choice),
        views_per_second=_views_per_second(material, backend, clock.slowness),
    )


def least_seconds(material: Material, backend: Pick | None, cache: Path, slowness: float) -> float:
    """Estimate of what there is to do in any case."""
    return _embed_seconds(material, backend, cache, None, slowness) + _other_seconds(material, backend, slowness)


def _other_seconds(material: Material, backend: Pick | None, slowness: float) -> float:
    """Audit, probe, and what follows training."""
    images, classes = len(material.index), len(material.index.labels)
    seconds = 0.8 + 0.3e-3 * images + 3e-9 * images**2
    if material.backbone is not None:
        train, _ = _subset_sizes(material)
        seconds += 0.1 + 8e-9 * train * int(material.backbone.network.feature_size) * classes  # type: ignore[arg-type]
    return slowness * seconds + finish_seconds(material, backend, slowness=slowness)


def with_rates(
    outlook: Outlook, material: Material, clock: Clock, asked: Asked, backend: Pick | None, cache: Path
) -> Outlook:
    """Measure how fast training is here."""
    choice, classes = material.choice, len(material.index.labels)
    method = asked.chosen.get("method")
    recipe = RECIPES["whole" if choice.pretrained else "scratch"]
    policy = Policy.named(asked.chosen.get("augment", recipe.augment), outlook.mirrored)
    left = clock.left()
    seconds = MOST_MEASURING_SECONDS if left is None else min(MOST_MEASURING_SECONDS, MEASURING_SHARE * left)
    batch = min(asked.chosen.get("batch_size", BATCH_SIZE), outlook.train_images)
    if device().type == "cpu":  # more at once are no faster, and take their time
        batch = min(batch, BATCH_SIZE)
    tails: tuple[Rate, ...] = ()
    whole: Rate | None = None
    if choice.pretrained and method in (None, "stages"):
        tails = tail_rates(choice.network, choice.pixels, classes, batch, device(), seconds, asked.chosen)
    enough = left is None or left > WHOLE_NEEDS_SECONDS[device().type]
    if not choice.pretrained or method == "whole" or (method is None and enough):
        teacher = None if asked.teaching is None else asked.teaching.seeing(choice.pixels)
        network, pretrained = (choice.network, choice.pixels, classes, batch, device()), choice.pretrained
        whole = whole_rate(*network, material.sample, policy, pretrained, seconds, asked.chosen, teacher)
    slowness = clock.slowness
    costs: dict[int | None, float] = {
        rate.frozen_stages: _embed_seconds(material, backend, cache, rate.frozen_stages, slowness) for rate in tails
    }
    finish = finish_seconds(material, backend, whole.images_per_second if whole else None, slowness)
    return replace(
        outlook,
        seconds_left=clock.left(),
        seconds_spent=clock.elapsed(),
        other_seconds=outlook.other_seconds + finish - finish_seconds(material, backend, slowness=slowness),
        embed_seconds={**outlook.embed_seconds, **costs},
        stage_rates=tails,
        whole_rate=whole,
    )


def _embed_seconds(material: Material, backend: Pick | None, cache: Path, stage: int | None, slowness: float) -> float:
    """Read, decode, look, and run the network where there is one: they share the cores.

    A batch of the network, as a step of training, takes long enough for its measured speed to be that of a busy
    machine, where it is one; to decode an image takes a moment, and the median of moments is an undisturbed one.
    """
    images = len(material.index)
    looked_at, embedded = stored_shares(material.backbone, material.sample.digests, cache, stage)
    compute = 1 / backend.rate if backend is not None else 0.0
    seconds = (1 - embedded) * compute
    looking = material.sample.seconds + LOOKING_SECONDS / available_cores()
    held = min(looked_at, embedded)
    seconds += slowness * ((1 - held) * looking + held * material.sample.reading)
    preparing = backend.preparing if backend is not None and embedded < 1 else 0.0
    return preparing + images * (1.1 * seconds + FROM_STORE_SECONDS)


def _subset_sizes(material: Material) -> tuple[int, int]:
    """Images that will train and validate."""
    index = material.index
    sizes = [int((index.subset == which).sum()) for which in (TRAIN, VALIDATION, TEST)]
    free = len(index) - sum(sizes) if not sizes[0] else sizes[0]
    validation = sizes[1] or round(VALIDATION_SHARE * free)
    test = sizes[2] or round(TEST_SHARE * free)
    train = free - (0 if sizes[1] else validation) - (0 if sizes[2] else test)
    return max(train, 1), max(validation, 1)


def _views_per_second(material: Material, backend: Pick | None, slowness: float) -> float:
    """How fast activations of other views are made; several processes do not share that work, and leave it."""
    if backend is None or started_by_torchrun():
        return 0.0
    return 1 / (1.1 * (1 / backend.rate + 1.5 * slowness * material.sample.seconds))


def mirrored(material: Material, asked: Asked) -> tuple[bool, str]:
    """Whether a mirrored image keeps its label, and why."""
    if asked.flip is not None:
        return asked.flip, f"{'' if asked.flip else 'no '}mirroring: chosen by hand"
    return mirrored_keeps_label(material.index.labels)
