"""``linne fit``: the whole road from a folder to a bundle."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from pathlib import Path
from typing import Any

from linne.embed.embedding import Embedding, embed
from linne.fit.probe import Probe, fit_probe
from linne.index.columns import Columns
from linne.records.errors import LinneError
from linne.records.index import TRAIN, VALIDATION, Index
from linne.records.places import user_cache
from linne.records.plan import Augment, Plan
from linne.records.progress import Progress, Silent
from linne.records.run import Run
from linne.records.split import Split
from linne.report.write import write_report
from linne.road.budget import Clock, parse_budget
from linne.road.inspection import inspect
from linne.road.look import as_augment, as_seed, gather
from linne.road.planning import Asked, finish_seconds, plan_run, settle_plan
from linne.road.ship import ship
from linne.road.sizes import parse_size
from linne.road.training import train_network
from linne.split.assign import make_split
from linne.split.groups import groups_by_name

PathName = str | PathLike[str]

PARTS = ("linne", "torch", "torchvision", "onnxruntime", "numpy", "pillow", "scikit-learn")


def fit(
    photos: PathName,
    *,
    columns: Columns | None = None,
    weights: PathName | None = None,
    network: str | None = None,
    budget: str | float | None = "10m",
    group_by: str | None = None,
    augment: Augment = "light",
    mix: bool = False,
    seed: int = 0,
    out: PathName = "runs",
    cache: PathName | None = None,
    cache_size: str | int = "10G",
    progress: Progress | None = None,
    started: float | None = None,
) -> Run:
    """Train a classifier on a folder of images, within a budget.

    Parameters
    ----------
    photos : path
        Class folders, or train, validation and test with class folders in each; a CSV or Parquet table, a zip, tar
        shards, or a Hugging Face data set on disk; or the index that `linne.apply` gave.
    columns : Columns, optional
        Which columns of a table to read; by default they are found by their usual names.
    weights : path or str, optional
        Pretrained weights: a file, or with `network` 'imagenet' or a tag of its published ones, which are fetched;
        training starts from them. Without them it starts from random ones.
    network : str, optional
        A name of `linne.nets.names()`; by default that of the weights, or one that suits the images.
    budget : str or float, optional
        ``"90s"``, ``"10m"``, ``"2h"``, seconds, or None for no end.
    group_by : str, optional
        Regular expression on file names: images with the same match stay in one subset.
    augment : {'none', 'light', 'trivial', 'rand', 'augmix'}
        How training images are varied: not at all; by crops, mirror images and a little colour; by crops, mirror
        images, TrivialAugment or RandAugment, and random erasing, for long training; by crops, mirror images and
        AugMix. Where the budget allows to train on stored activations only, it has no effect, and the plan says so.
    mix : bool
        Mix images and their labels by MixUp and CutMix; as above.
    seed : int
    out : path
        The run is the first free one of ``out/NAME-1``, ``out/NAME-2``, ...
    cache : path, optional
        The store of embeddings; by default in the user's cache folder.
    cache_size : str or int, optional
        How much decoded training images may take on the disk: ``"10G"``, ``"500M"``, bytes, or 0 to keep none.
    progress : Progress, optional
    started : float, optional
        When the budget began, on `time.monotonic`'s clock; by default now.

    Returns
    -------
    Run
        Its `folder` holds report and bundle. The test set has not been looked at: see `linne.evaluate`.

    Raises
    ------
    LinneError
        The images, the weights or the budget cannot be used, or the export does not agree with the network.

    Examples
    --------
    >>> import linne
    >>> run = linne.fit("photos", weights="mobilenet_v2.safetensors", budget="2m")  # doctest: +SKIP
    >>> linne.load(run.bundle).predict("a.jpg")  # doctest: +SKIP
    """
    clock = Clock(time.monotonic() if started is None else started, parse_budget(budget))
    progress, seed, room = progress or Silent(), as_seed(seed), parse_size(cache_size)
    seconds: dict[str, float] = {"start": clock.elapsed()}
    store = Path(cache) if cache is not None else user_cache()

    asked = Asked(seed, weights, as_augment(augment), mix)
    material = gather(Path(photos), columns, weights, network, seed, progress)
    index = material.index
    named = None if group_by is None else groups_by_name(index, group_by)
    plan, training, backend = plan_run(material, clock, asked, store)
    for reason in plan.reasons:
        progress.say(f"plan: {reason}")
    _lap(seconds, "plan", clock)

    stage = training.frozen_stages if training.method == "stages" else None
    embedding = embed(index, material.backbone, store, progress, stage, backend)
    _lap(seconds, "embed", clock)

    inspection = inspect(index, embedding, seed, store, progress, named)
    progress.say(f"audit: {_listing(inspection.findings.counts())}")
    _lap(seconds, "audit", clock)

    split = make_split(index, inspection.groups, embedding.passed.readable, seed)
    run = Run.create(Path(out), index.name or "photos")
    index.write(run.index)
    inspection.findings.write(run.findings)
    split.write(run.split, index.paths, embedding.passed.digest)
    run.facts |= _facts(run, photos, index, split, plan, embedding, group_by)
    run.facts["seconds"] = seconds
    run.write()
    _lap(seconds, "split", clock)

    probe = _probe(embedding, index, split) if material.choice.pretrained else None
    if probe is not None:
        run.facts["probe"] = {name: getattr(probe, name) for name in ("accuracy", "log_loss", "inverse_penalty")}
        progress.say(f"probe: {probe.accuracy:.3f} of validation right, {clock.elapsed():.0f} s after the start")
    _lap(seconds, "probe", clock)

    whole = training.images_per_second if training.method in ("whole", "scratch") else None
    reserve = finish_seconds(material, backend, whole)
    plan, settled = settle_plan(material, clock, asked, plan, training, split, reserve, store)
    for reason in settled:
        progress.say(f"plan: {reason}")
    run.facts["plan"] = plan.to_json()
    chosen = train_network(material, plan, probe, split, embedding, store, clock.deadline(reserve), run, progress, room)
    run.facts["chosen"] = chosen
    if probe is None:
        _refuse_untrained(run)
    _lap(seconds, "train", clock)

    ship(run, material, plan, split, embedding.passed.digest, progress)
    _lap(seconds, "ship", clock)
    run.write()

    write_report(run)
    _lap(seconds, "report", clock)
    run.write()
    return run


def _refuse_untrained(run: Run) -> None:
    """Raise where a network from a random start is no better than that, or was stopped before it could be."""
    chosen = run.facts["chosen"]
    if chosen["epoch"] > 0:
        return
    run.write()
    if chosen["stopped"] == "interrupt":
        raise KeyboardInterrupt
    raise LinneError(
        "nothing was learnt: no epoch is better than the random start",
        file=run.folder,
        remedy="give a longer --budget, or pretrained --weights",
    )


def _probe(embedding: Embedding, index: Index, split: Split) -> Probe:
    train, validation = split.rows(TRAIN), split.rows(VALIDATION)
    labels = index.label.astype("int64")
    return fit_probe(embedding.features[train], labels[train], embedding.features[validation], labels[validation])


def _facts(
    run: Run, photos: PathName, index: Index, split: Split, plan: Plan, embedding: Embedding, group_by: str | None
) -> dict[str, Any]:
    backend = embedding.backend
    return {
        "name": run.folder.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "asked": {"photos": str(photos), "budget": plan.budget, "seed": plan.seed, "group_by": group_by},
        "plan": plan.to_json(),
        "versions": {part: _version(part) for part in PARTS},
        "backend": None if backend is None else backend.to_json(),
        "fingerprints": {"index": index.fingerprint, "split": split.fingerprint, "weights": plan.weights_fingerprint},
        "embedded": {"images": len(index), "computed": embedding.passed.computed},
        "corrections": None if index.corrections is None else index.corrections.to_json(),
        "openings": [],
    }


def _version(part: str) -> str | None:
    try:
        return version(part)
    except PackageNotFoundError:
        return None


def _listing(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {check}" for check, number in counts.items()) or "nothing found"


def _lap(seconds: dict[str, float], step: str, clock: Clock) -> None:
    """Note the seconds since the last step ended."""
    seconds[step] = round(max(clock.elapsed() - sum(seconds.values()), 0.0), 3)
