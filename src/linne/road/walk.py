"""The steps of a fit, in order; a run that was cut off passes over what it has done."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch

from linne.embed.backbone import backbone
from linne.embed.embedding import Embedding, embed, pick
from linne.fit.checkpoint import elapsed_of, epochs_of
from linne.fit.probe import Probe, fit_probe
from linne.fit.processes import ALONE, BEGINS, Processes
from linne.fit.several_labels_probe import fit_several_labels_probe
from linne.fit.tracking import Trackers, flat
from linne.records.errors import LinneError, RunError
from linne.records.index import TRAIN, VALIDATION, Index
from linne.records.plan import Plan
from linne.records.progress import Progress
from linne.records.run import Run
from linne.records.split import Split
from linne.records.truth import task_of, truth_of
from linne.report.write import write_report
from linne.road.budget import Clock
from linne.road.drawn import Drawn, draw
from linne.road.geometry import lay_out
from linne.road.level import Start
from linne.road.look import Material
from linne.road.outlook import Asked, finish_seconds
from linne.road.planning import Planned, plan_run, settle_plan
from linne.road.request import Request
from linne.road.ship import ship
from linne.road.teacher import read_teacher
from linne.road.training import refuse_for_several_labels, scores_of, train_network

PARTS = ("linne", "torch", "torchvision", "onnxruntime", "numpy", "pillow", "scikit-learn")


def walk(
    run: Run,
    request: Request,
    material: Material,
    clock: Clock,
    progress: Progress,
    drawn: Drawn | None = None,
    processes: Processes = ALONE,
) -> None:
    """Do all that is still to do in a run; see `linne.fit` for what it raises.

    What was `drawn` before, for this index, is taken instead of auditing and splitting again: a race has one split.
    Of several processes this is what the first one does; the others come in to train (`linne.road.follow`).
    """
    # The first thread that sets its number of threads changes how MKL sums in all of them: a run that measures has such
    # threads before it trains, and one that goes on, or has a plan, has none.
    torch.set_num_threads(torch.get_num_threads())
    clock = clock.with_spent(elapsed_of(run.state))
    seconds: dict[str, float] = {"start": clock.elapsed()}
    index, trackers = material.index, Trackers(request.track, run.folder, progress.say)
    _refuse_other_photos(run, index)
    several = task_of(index) == "multi"
    # A class that is decided for itself has no others to take the blame, and smoothing only blurs it.
    settings = {"label_smoothing": 0.0, **request.chosen} if several else request.chosen
    asked = Asked(request.seed, request.weights, settings, request.flip, request.teacher is not None)
    planned = _planned(run, request, material, clock, asked, progress)
    material, plan = planned.material, planned.plan
    if several:
        refuse_for_several_labels(plan, request.teacher is not None)
    _lap(seconds, "plan", clock)

    embedding = embed(index, material.backbone, request.store, progress, planned.stage, planned.backend)
    if run.split.exists() and not np.array_equal(Split.read_digests(run.split), embedding.passed.digest):
        raise _other_photos(run)
    _lap(seconds, "embed", clock)

    if drawn is None:
        drawn = draw(index, embedding, plan.seed, request.group_by, request.store, progress)
    split = drawn.split
    _lap(seconds, "audit", clock)

    index.write(run.index)
    drawn.findings.write(run.findings)
    split.write(run.split, index.paths, embedding.passed.digest)
    run.facts = _facts(run, request, index, split, plan, embedding)
    run.facts["seconds"] = seconds
    run.write()
    _lap(seconds, "split", clock)

    probe = _probe(embedding, index, split) if material.choice.pretrained else None
    if probe is not None:
        run.facts["probe"] = {**scores_of(probe), "inverse_penalty": probe.inverse_penalty}
        precision = probe.average_precision
        right = (
            f"{probe.accuracy:.3f} of validation right" if precision is None else f"{precision:.3f} mAP on validation"
        )
        progress.say(f"probe: {right}, {clock.elapsed():.0f} s after the start")
    _lap(seconds, "probe", clock)

    reserve = finish_seconds(material, planned.backend, planned.whole_rate)
    if planned.training is not None:
        plan, settled = settle_plan(material, clock, asked, planned, split, reserve, request.store)
        for reason in settled:
            progress.say(f"plan: {reason}")
    plan.write(run.plan)
    run.facts["plan"] = plan.to_json()
    deadline = None if clock.budget is None else clock.budget - reserve
    teacher = None if request.teacher is None else read_teacher(request.teacher, index.labels, plan.pixels)
    start = Start(
        material=material,
        plan=plan,
        probe=probe,
        split=split,
        digest=embedding.passed.digest,
        store=request.store,
        cache_size=request.cache_size,
        teacher=teacher,
        backend=planned.backend,
        elapsed=clock.elapsed,
        deadline=deadline,
        processes=processes,
    )
    if request.track:
        trackers.start(flat(plan.to_json()), epochs_of(run.state), time.time() - clock.elapsed())
    processes.say(BEGINS, str(run.folder.absolute()))
    with processes.own_cores():
        chosen = train_network(start, run, progress, (trackers.epoch,))
    run.facts["chosen"] = chosen
    if probe is None:
        _refuse_untrained(run)
    _lap(seconds, "train", clock)

    ship(run, material, plan, split, embedding.passed.digest, progress)
    _lap(seconds, "ship", clock)
    run.write()

    write_report(run)
    _lap(seconds, "report", clock)
    run.facts["finished"] = True
    run.write()
    told = ("accuracy", "log_loss", "average_precision", "epoch")
    trackers.end({name: value for name, value in run.facts["chosen"].items() if name in told})
    run.state.unlink(missing_ok=True)


def _planned(run: Run, request: Request, material: Material, clock: Clock, asked: Asked, progress: Progress) -> Planned:
    """The plan that this run has already, or that it was given, or a new one."""
    given = run.plan if run.plan.exists() else request.plan
    if given is None:
        material = lay_out(material, clock, request.store, request.seed, request.group_by, progress)
        planned = plan_run(material, clock, asked, request.store)
        for reason in planned.plan.reasons:
            progress.say(f"plan: {reason}")
        return planned
    plan = Plan.read(given)
    if plan.network != material.choice.name:
        raise LinneError(
            f"is a plan for {plan.network}", file=given, value=material.choice.name, remedy="give its --network"
        )
    weights = material.backbone.weights if material.backbone else ""
    if plan.weights_fingerprint != weights:
        raise LinneError(
            "is a plan for other weights", file=given, value=plan.weights, remedy="give the --weights it was made for"
        )
    deepest = len(material.choice.network.stages()) - 1  # type: ignore[operator]
    if plan.stage is not None and plan.stage > deepest:
        raise LinneError("frozen_stages is out of range", file=given, value=plan.stage, remedy=f"give 1 to {deepest}")
    material = as_planned(material, plan)
    progress.say(f"plan: as {given} says")
    backend = None
    if material.backbone is not None:
        sample = material.sample.inputs(plan.pixels)
        backend = pick(material.backbone, len(material.index), request.store, plan.stage, sample)
    return Planned(material, replace(plan, budget=clock.budget), None, backend, plan.stage, None)


def as_planned(material: Material, plan: Plan) -> Material:
    """Give the material with the plan's pixels."""
    choice = replace(material.choice, pixels=plan.pixels)
    seen_by = backbone(choice.network, plan.pixels) if choice.pretrained else None
    return replace(material, choice=choice, backbone=seen_by)


def _refuse_other_photos(run: Run, index: Index) -> None:
    """Raise where a run that was cut off had other photos."""
    if run.index.exists() and Index.read(run.index).fingerprint != index.fingerprint:
        raise _other_photos(run)


def _other_photos(run: Run) -> RunError:
    return RunError("the photos are not those that it was begun with", file=run.folder, remedy="make a new run of them")


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
    fitted = fit_several_labels_probe if task_of(index) == "multi" else fit_probe
    features = embedding.features
    return fitted(features[train], truth_of(index, train), features[validation], truth_of(index, validation))


def _facts(run: Run, request: Request, index: Index, split: Split, plan: Plan, embedding: Embedding) -> dict[str, Any]:
    backend = embedding.backend
    return {
        "name": run.folder.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "asked": {
            "photos": str(request.photos),
            "budget": plan.budget,
            "seed": plan.seed,
            "group_by": request.group_by,
            "chosen": request.chosen,
            "teacher": None if request.teacher is None else str(request.teacher),
        },
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


def _lap(seconds: dict[str, float], step: str, clock: Clock) -> None:
    """Note the seconds since the last step ended."""
    seconds[step] = round(max(clock.elapsed() - sum(seconds.values()), 0.0), 3)
