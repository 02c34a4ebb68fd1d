"""``linne fit``: the whole road from a folder to a bundle."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from linne.fit.processes import DONE, join
from linne.fit.tracking import TRACKERS, TrackerName
from linne.index.columns import Columns
from linne.records.errors import LinneError, RunError
from linne.records.lock import alone_in
from linne.records.places import user_cache
from linne.records.plan import Plan
from linne.records.progress import Progress, Silent
from linne.records.recipe import Augment
from linne.records.run import Run
from linne.road.budget import Clock, parse_budget
from linne.road.follow import follow
from linne.road.look import Material, as_seed, gather
from linne.road.request import Request, checked_choice
from linne.road.sizes import parse_size
from linne.road.walk import walk
from linne.road.weights import lasting

PathName = str | PathLike[str]


def fit(
    photos: PathName,
    *,
    columns: Columns | None = None,
    weights: PathName | None = None,
    network: str | None = None,
    budget: str | float | None = "auto",
    group_by: str | None = None,
    augment: Augment | None = None,
    mix: bool | None = None,
    flip: bool | None = None,
    recipe: Mapping[str, Any] | None = None,
    plan: PathName | None = None,
    teacher: PathName | None = None,
    seed: int | None = None,
    out: PathName = "runs",
    cache: PathName | None = None,
    cache_size: str | int = "10G",
    shard: bool = False,
    track: Sequence[TrackerName] = (),
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
        ``"90s"``, ``"10m"``, ``"2h"``, seconds, or None for no end; ``"auto"`` is ten minutes, or no end with a
        `plan`.
    group_by : str, optional
        Regular expression on file names: images with the same match stay in one subset.
    augment : {'none', 'light', 'trivial', 'rand', 'augmix'}, optional
        How training images are varied; by default as suits their number and the length of training. Where the budget
        allows to train on stored activations only, it has no effect, and the plan says so.
    mix : bool, optional
        Mix images and their labels by MixUp and CutMix; as above.
    flip : bool, optional
        Whether a mirrored image keeps its label; by default told from the names of classes.
    recipe : mapping, optional
        Settings of `linne.records.recipe.Recipe` that are decided by hand, for every level; 'method' names the only
        level, and may be 'probe'.
    plan : path, optional
        ``plan.json`` of a run, which is done again on the same groups and with the same teacher. `augment`, `mix` and
        `recipe` cannot be given with it, nor a `network`, `group_by`, `flip`, `teacher` or `seed` that differs.
    teacher : path, optional
        A finished run of the same classes, of a larger network as a rule: where the network itself is trained, it
        learns from that one's answers, too. Networks of two heads (DeiT, LeViT) have one for it.
    seed : int, optional
        By default 0, or that of `plan`.
    out : path
        The run is the first free one of ``out/NAME-1``, ``out/NAME-2``, ...
    cache : path, optional
        The store of embeddings; by default in the user's cache folder.
    cache_size : str or int, optional
        How much decoded training images may take on the disk: ``"10G"``, ``"500M"``, bytes, or 0 to keep none.
    shard : bool
        Cut the network up among the processes that torchrun has started, where one device does not hold it.
    track : sequence of {'tensorboard', 'mlflow'}, optional
        What follows the training: TensorBoard's event files in the run, or a run of MLflow.
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

    Notes
    -----
    Set the environment's ``OPENBLAS_THREAD_TIMEOUT=4`` and ``GOMP_SPINCOUNT=10000`` before NumPy and PyTorch are
    imported, as the command line does: on a busy machine threads that spin while they wait cost the budget.

    Examples
    --------
    >>> import linne
    >>> run = linne.fit("photos", weights="mobilenet_v2.safetensors", budget="2m")  # doctest: +SKIP
    >>> linne.load(run.bundle).predict("a.jpg")  # doctest: +SKIP
    """
    if budget == "auto":
        budget = "10m" if plan is None else None
    clock = Clock(time.monotonic() if started is None else started, parse_budget(budget))
    chosen = dict(recipe or {}) | {k: v for k, v in {"augment": augment, "mix": mix}.items() if v is not None}
    seed = None if seed is None else as_seed(seed)
    if plan is not None:
        given = Plan.read(Path(plan))
        _refuse_beside(
            Path(plan), given, chosen, {"seed": seed, "network": network, "group_by": group_by, "flip": flip}
        )
        seed, group_by, network = given.seed, given.group_by, given.network
        teacher = given.teacher if teacher is None else teacher
    request = Request(
        photos=Path(photos).absolute(),
        columns=columns,
        weights=None if weights is None else lasting(weights),
        network=network,
        budget=clock.budget,
        group_by=group_by,
        chosen={name: checked_choice(name, value) for name, value in chosen.items()},
        flip=flip,
        plan=None if plan is None else Path(plan).absolute(),
        teacher=None if teacher is None else Path(teacher).absolute(),
        seed=seed or 0,
        store=Path(cache).absolute() if cache is not None else user_cache(),
        cache_size=parse_size(cache_size),
        track=_trackers(track),
    )
    progress, processes = progress or Silent(), join(shard)
    with processes.together():
        if not processes.first:
            return follow(processes)
        material = _gather(request, progress)
        was_there = Path(out).exists()
        run = Run.create(Path(out), material.index.name or "photos")
        with _left_only_if_begun(run, was_there), alone_in(run.folder):
            request.write(run.asked)
            walk(run, request, material, clock, progress, processes=processes)
        processes.say(DONE, str(run.folder.absolute()))
    return run


def resume(
    folder: PathName, *, shard: bool = False, progress: Progress | None = None, started: float | None = None
) -> Run:
    """Go on with a run that was cut off, from its last checkpoint; one that is finished is left as it is.

    Parameters
    ----------
    folder : path
        A run that `linne.fit` has begun, with however many processes; one with several views of each image goes on
        with one.
    shard : bool
        As in `linne.fit`.
    progress : Progress, optional
    started : float, optional
        When this process began, on `time.monotonic`'s clock; by default now.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        It is no run, another process works in it, or the photos are not the same any more.
    """
    folder, progress = Path(folder), progress or Silent()
    if not folder.is_dir():
        raise RunError("no such run", file=folder, remedy="give a folder that `linne fit` made")
    run, processes = Run(folder), join(shard)
    with processes.together():
        if not processes.first:
            return follow(processes)
        request = Request.read(run.asked)  # before anything is written: it may be another folder of the user's
        if run.is_finished():
            progress.say("this run is finished")
            run.state.unlink(missing_ok=True)  # it was cut off before it could do that
            run = Run.open(folder)
        else:
            with alone_in(folder):
                clock = Clock(time.monotonic() if started is None else started, request.budget)
                walk(run, request, _gather(request, progress), clock, progress, processes=processes)
        processes.say(DONE, str(folder.absolute()))
    return run


def _refuse_beside(path: Path, plan: Plan, chosen: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raise where something was decided by hand that a plan decides otherwise."""
    differing = [name for name, value in given.items() if value is not None and value != getattr(plan, name)]
    if chosen or differing:
        raise LinneError(
            "a plan has decided that already",
            file=path,
            value=", ".join([*chosen, *differing]),
            remedy="leave it away, or edit the plan",
        )


def _trackers(given: Sequence[str]) -> tuple[TrackerName, ...]:
    known = tuple(name for name in TRACKERS if name in given)
    if len(known) < len(set(given)):
        raise LinneError("cannot be tracked by", value=", ".join(given), remedy=f"give of {', '.join(TRACKERS)}")
    return known


def _gather(request: Request, progress: Progress) -> Material:
    return gather(request.photos, request.columns, request.weights, request.network, request.seed, progress)


@contextlib.contextmanager
def _left_only_if_begun(run: Run, was_there: bool) -> Iterator[None]:
    """Remove a run's folder where nothing was done in it, and the one of all runs unless it `was_there`."""
    try:
        yield
    except (LinneError, KeyboardInterrupt):
        left = {path.name for path in run.folder.iterdir()}
        if left <= {run.asked.name, ".lock"}:
            for name in left:
                (run.folder / name).unlink()
            run.folder.rmdir()
            if not was_there:
                with contextlib.suppress(OSError):  # another run has begun in it
                    run.folder.parent.rmdir()
        raise
