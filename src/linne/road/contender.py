"""A network made ready for many trainings: all that comes before training is done once."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from linne.embed.embedding import Embedding, embed, pick
from linne.fit.decoded import Pictures
from linne.fit.levels import WORTHWHILE_EPOCHS, Training
from linne.fit.plan import Outlook, plan_training
from linne.fit.probe import Probe
from linne.nets.blocks.drop_path import DropPath
from linne.records.errors import LinneError
from linne.records.index import TRAIN
from linne.records.plan import Plan
from linne.records.progress import Progress
from linne.records.recipe import Recipe
from linne.records.split import Split
from linne.road.activations import Activations
from linne.road.budget import Clock
from linne.road.drawn import draw
from linne.road.level import Start, stored_views
from linne.road.look import Material
from linne.road.outlook import Asked, finish_seconds, measured_outlook, mirrored
from linne.road.probing import backend_of, probe_of
from linne.road.training import open_pixel_cache

DEAREST_PASS = 0.5
"""Of a run: what another pass may take that stores the inputs of another stage than the planner's."""

Methods = dict[str, tuple[Recipe, ...]]
"""Ways to train, by name, the planner's own first: the levels of each, as they are planned."""


@dataclass(frozen=True)
class _Made:
    """Views `of` a stage and how many, and the `seconds` that they took."""

    of: tuple[int, int]
    views: list[Activations]
    seconds: float


@dataclass
class Contender:
    """A network with its images, its split and its probe.

    Attributes
    ----------
    name : str
    material : Material
        Its network stays as it came.
    embedding : Embedding
    split : Split
        The same that `linne.fit` makes: what is tested in the end was trained on by none.
    probe : Probe or None
    plan : Plan
        The planner's own.
    store : Path
    cache_size : int
    again : float
        Seconds of audit, split and probe, which the last run does again.
    """

    name: str
    material: Material
    embedding: Embedding
    split: Split
    probe: Probe | None
    plan: Plan
    store: Path
    cache_size: int
    again: float
    _stored: set[int] = field(default_factory=set)
    _decoded: set[int] = field(default_factory=set)
    _made: _Made | None = None

    @property
    def has_drop_path(self) -> bool:
        """Whether the network has branches that can be left out."""
        return any(isinstance(part, DropPath) for part in self.material.choice.network.modules())

    def make_inputs(self, levels: tuple[Recipe, ...], progress: Progress) -> float:
        """Make what a way to train needs, where that has not been done: views of stored activations, decoded pixels.

        Gives the seconds that a run of its own takes for them: the first trial is not to pay for all.
        """
        plan = replace(self.plan, levels=levels)
        return self._make_views(plan, levels, progress) + self._decode(plan, progress)

    def _make_views(self, plan: Plan, levels: tuple[Recipe, ...], progress: Progress) -> float:
        """Store what enters the first trained stage, and make its views; gives the seconds that the views took.

        Views of one way to train are held at a time, for they fill the memory.
        """
        if plan.stage is None:
            return 0.0
        if plan.stage not in self._stored:
            assert self.material.backbone is not None  # noqa: S101 - stages are those of pretrained weights
            backend = pick(self.material.backbone, len(self.material.index), self.store, plan.stage)
            embed(self.material.index, self.material.backbone, self.store, progress, plan.stage, backend)
            self._stored.add(plan.stage)
        wanted = plan.stage, levels[0].views
        if self._made is None or self._made.of != wanted:
            self._made = None
            clock = Clock.starting(None)
            views = stored_views(self.start(levels, clock), levels[0], {}, progress, lambda: False)
            self._made = _Made(wanted, views, clock.elapsed())
        return self._made.seconds

    def _decode(self, plan: Plan, progress: Progress) -> float:
        """Fill the cache of pixels; gives about what those in it took, whoever did. The others each run decodes."""
        index, digest = self.material.index, self.embedding.passed.digest
        cache = open_pixel_cache(plan, digest, self.store, self.cache_size)
        if cache is None:
            return 0.0
        with closing(cache):
            rows = self.split.rows(TRAIN)
            if cache.lacking(rows) and cache.side not in self._decoded:
                Pictures(index, plan.pixels.channels, cache, digest).decode(rows, progress)
                self._decoded.add(cache.side)  # what cannot be kept, or read, is not tried before each trial
            return (len(rows) - cache.lacking(rows)) * self.material.sample.seconds

    def start(self, levels: tuple[Recipe, ...], clock: Clock) -> Start:
        """Give what a training starts from, with a network of its own; the budget of `clock` is the training's."""
        made = self._made
        choice = replace(self.material.choice, network=copy.deepcopy(self.material.choice.network))
        plan = replace(self.plan, levels=levels)
        return Start(
            material=replace(self.material, choice=choice),
            plan=plan,
            probe=self.probe,
            split=self.split,
            digest=self.embedding.passed.digest,
            store=self.store,
            cache_size=self.cache_size,
            teacher=None,
            backend=backend_of(self.material, self.store, plan.stage),
            elapsed=clock.elapsed,
            deadline=clock.budget,
            views=made.views if made is not None and made.of == (plan.stage, levels[0].views) else None,
        )


def make_contender(
    name: str,
    material: Material,
    asked: Asked,
    group_by: str | None,
    store: Path,
    cache_size: int,
    stage: int | None,
    progress: Progress,
) -> Contender:
    """Embed, audit, split and probe, as `linne.fit` does; `stage` is one whose inputs the pass stores."""
    index, backbone = material.index, material.backbone
    embedding = embed(index, backbone, store, progress, stage, backend_of(material, store, stage))
    since = Clock.starting(None)
    split = draw(index, embedding, asked.seed, group_by, store, progress).split
    probe = probe_of(material, embedding, split)
    plan = Plan(
        network=material.choice.name,
        weights=asked.weights,
        weights_fingerprint=backbone.weights if backbone else "",
        pixels=material.choice.pixels,
        levels=(),
        flip=mirrored(material, asked)[0],
        seed=asked.seed,
        budget=None,
        reasons=material.choice.reasons,
        group_by=group_by,
    )
    stored = set() if stage is None else {stage}
    return Contender(name, material, embedding, split, probe, plan, store, cache_size, since.elapsed(), stored)


@dataclass(frozen=True)
class Ways:
    """Ways to train a network in a run that finds all images embedded.

    Attributes
    ----------
    methods : dict of str to tuple of Recipe
        The planner's own first; with it whatever else the time allows, on its own, and what needs no long pass of its
        own. Empty where that is the probe alone.
    embedding, training, finish : float
        Seconds that the pass for the planner's own is expected to take, its training, and what follows that in a run.
    """

    methods: Methods
    embedding: float
    training: float
    finish: float


def ways_of(material: Material, asked: Asked, seconds: float | None, slowness: float, store: Path) -> Ways:
    """Give the ways for runs of so many seconds.

    Raises
    ------
    LinneError
        The time is too short for a run.
    """
    backend = backend_of(material, store, None, seconds)
    outlook, passes = measured_outlook(material, asked, backend, store, seconds, slowness)
    rate = outlook.whole_rate.images_per_second if outlook.whole_rate else None
    finish = finish_seconds(material, backend, rate, slowness)
    own = plan_training(outlook, asked.chosen)
    if not own.levels:
        return Ways({}, passes[None], 0.0, finish)
    methods: Methods = {}
    most = math.inf if seconds is None else DEAREST_PASS * seconds
    within = {stage for stage, needed in passes.items() if needed <= most}
    for training in [own, *_others(outlook, asked.chosen, within)]:
        levels = tuple(level.recipe for level in training.levels)
        if levels and levels not in methods.values():
            methods[_in_words(levels)] = levels
    seconds_of_training = sum(level.seconds(outlook.sizes) for level in own.levels)
    return Ways(methods, passes[own.stage], seconds_of_training, finish)


def _others(outlook: Outlook, chosen: Mapping[str, Any], within: Collection[int | None]) -> list[Training]:
    """Every other depth that is worth its time."""
    if not outlook.pretrained or "method" in chosen:
        return []
    methods: list[dict[str, Any]] = [
        {"method": "stages", "frozen_stages": rate.frozen_stages}
        for rate in outlook.stage_rates
        if chosen.get("frozen_stages", rate.frozen_stages) == rate.frozen_stages and rate.frozen_stages in within
    ]
    if outlook.whole_rate is not None and "frozen_stages" not in chosen:
        methods.append({"method": "whole"})
    found = []
    for method in methods:
        try:
            training = plan_training(outlook, {**chosen, **method})
        except LinneError:  # these activations do not fit in memory, say
            continue
        epochs = [level.recipe.epochs for level in training.levels]
        if epochs and ("epochs" in chosen or epochs[0] >= WORTHWHILE_EPOCHS[training.levels[0].recipe.method]):
            found.append(training)
    return found


def _in_words(levels: tuple[Recipe, ...]) -> str:
    words = [f"from stage {level.frozen_stages + 1}" if level.method == "stages" else level.method for level in levels]
    return ", then ".join(words)
