"""The steps of a fit, in order; a run that was cut off passes over what it has done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from linne.embed.embedding import Embedding, embed
from linne.fit.checkpoint import elapsed_of, epochs_of
from linne.fit.plan import LATE
from linne.fit.probe import Probe
from linne.fit.processes import ALONE, BEGINS, Processes
from linne.fit.tracking import Trackers, flat
from linne.records.errors import LinneError, RunError
from linne.records.findings import Findings
from linne.records.index import TEST, Index
from linne.records.progress import Progress
from linne.records.run import Run
from linne.records.split import Split
from linne.records.truth import task_of
from linne.report.write import write_report
from linne.road.budget import Clock, goes_on_from
from linne.road.by_hand import refuse_what_cannot_be
from linne.road.diary import Laps, facts_of, known_facts
from linne.road.drawn import Drawn, draw
from linne.road.geometry import lay_out
from linne.road.given import plan_of
from linne.road.level import Start
from linne.road.look import Material
from linne.road.outlook import Asked, finish_seconds
from linne.road.planning import Planned, plan_run, settle_plan
from linne.road.probing import probe_of
from linne.road.request import Request
from linne.road.seen_before import seen_before
from linne.road.ship import ship
from linne.road.teacher import Teaching, read_teacher, refuse_another_teacher
from linne.road.training import refuse_for_several_labels, scores_of, train_network
from linne.runtime.contention import slowness
from linne.runtime.cores import available_cores
from linne.split.groups import groups_by_name


@dataclass(frozen=True)
class _Here:
    """What is the same for all steps; `before` is what the diary held when the walk began."""

    run: Run
    request: Request
    asked: Asked
    clock: Clock
    progress: Progress
    before: dict[str, Any]


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
    torch.set_num_threads(min(torch.get_num_threads(), available_cores()))
    spent, index = elapsed_of(run.state), material.index
    clock = clock.with_spent(spent)
    teaching = None if request.teacher is None else read_teacher(request.teacher, index.labels)
    asked = _asked(request, index, teaching)
    if request.group_by is not None and not run.split.exists():
        groups_by_name(index, request.group_by)  # a pattern that groups nothing is told of before the pass
    if request.plan is None and not run.plan.exists():
        refuse_what_cannot_be(material.choice, asked.chosen)
    if clock.budget is not None and not run.plan.exists():
        clock = replace(clock, slowness=slowness())
        if clock.slowness > 1:
            progress.say(f"the machine is busy: steps are expected to take {clock.slowness:.1f} times as long")
    if processes.shard and asked.chosen.get("optimiser") == "muon":
        raise LinneError("needs whole matrices", value="muon", remedy="take another optimiser, or do not --shard")
    here = _Here(run, request, asked, clock, progress, known_facts(run))
    laps, trackers = Laps(clock, spent), Trackers(request.track, run.folder, progress.say)
    _refuse_other_photos(run, index)
    planned = _planned(here, material, teaching)
    laps.end("plan")

    embedding = embed(index, planned.material.backbone, request.store, progress, planned.stage, planned.backend)
    if run.split.exists() and not np.array_equal(Split.read_digests(run.split), embedding.passed.digest):
        raise _other_photos(run)
    laps.end("embed")

    known = _drawn_before(run, index)
    drawn = drawn or known
    if drawn is None:
        drawn = draw(index, embedding, planned.plan.seed, planned.plan.group_by, request.store, progress)
    laps.end("audit")

    if drawn is not known:
        index.write(run.index)
        drawn.findings.write(run.findings)
        drawn.split.write(run.split, index.paths, embedding.passed.digest)
    run.facts = facts_of(run, request, index, drawn.split, planned.plan, embedding, here.before)
    run.facts["seconds"] = laps.seconds
    run.write()
    laps.end("split")

    probe = _probe(here, planned.material, embedding, drawn.split)
    laps.end("probe")

    start = _start(here, planned, teaching, probe, drawn.split, embedding, processes)
    _train(here, start, trackers)
    laps.end("train")

    ship(run, start.material, start.plan, drawn.split, embedding.passed.digest, progress)
    laps.end("ship")
    run.write()

    write_report(run)
    laps.end("report")
    told = ("accuracy", "log_loss", "average_precision", "epoch")
    trackers.end({name: value for name, value in run.facts["chosen"].items() if name in told})
    run.facts["finished"] = True
    run.write()
    run.state.unlink(missing_ok=True)
    if clock.budget is not None and start.elapsed() > (1 + LATE) * clock.budget:
        late = start.elapsed() - clock.budget
        progress.say(f"{late:.0f} s late: what came after the plan took longer than was expected")


def _asked(request: Request, index: Index, teaching: Teaching | None) -> Asked:
    # A class that is decided for itself has no others to take the blame, and smoothing only blurs it.
    several = task_of(index) == "multi"
    settings = {"label_smoothing": 0.0, **request.chosen} if several else request.chosen
    return Asked(request.seed, request.weights, settings, request.flip, teaching)


def _planned(here: _Here, material: Material, teaching: Teaching | None) -> Planned:
    """The plan that this run has already, or that it was given, or a new one."""
    request, clock = here.request, here.clock
    planned = plan_of(here.run, request, here.before, material, clock, here.asked)
    if planned is not None:
        here.progress.say(f"plan: as {here.run.plan if here.run.plan.exists() else request.plan} says")
        refuse_another_teacher(planned.plan, teaching)
    else:
        chosen = here.asked.chosen
        material = lay_out(material, clock, chosen, request.store, request.seed, request.group_by, here.progress)
        planned = plan_run(material, clock, here.asked, request.store)
    teacher = (None, "") if teaching is None else (str(teaching.folder), teaching.fingerprint)
    plan = replace(planned.plan, group_by=request.group_by, teacher=teacher[0], teacher_fingerprint=teacher[1])
    for reason in plan.reasons:
        here.progress.say(f"plan: {reason}")
    if task_of(material.index) == "multi":
        refuse_for_several_labels(plan, teaching is not None)
    return replace(planned, plan=plan)


def _refuse_other_photos(run: Run, index: Index) -> None:
    """Raise where a run that was cut off had other photos."""
    if run.index.exists() and Index.read(run.index).fingerprint != index.fingerprint:
        raise _other_photos(run)


def _other_photos(run: Run) -> RunError:
    return RunError("the photos are not those that it was begun with", file=run.folder, remedy="make a new run of them")


def _drawn_before(run: Run, index: Index) -> Drawn | None:
    """What a run that goes on has found and split already, be it by another embedding, as in a race."""
    if not (run.split.exists() and run.findings.exists()):
        return None
    drawn = Drawn(Findings.read(run.findings), Split.read(run.split))
    return drawn if drawn.findings.index == drawn.split.index == index.fingerprint else None


def _probe(here: _Here, material: Material, embedding: Embedding, split: Split) -> Probe | None:
    """The probe, told and noted; None without pretrained weights."""
    probe = probe_of(material, embedding, split)
    if probe is None:
        return None
    here.run.facts["probe"] = {**scores_of(probe), "inverse_penalty": probe.inverse_penalty}
    precision = probe.average_precision
    right = f"{probe.accuracy:.3f} of validation right" if precision is None else f"{precision:.3f} mAP on validation"
    here.progress.say(f"probe: {right}, {here.clock.elapsed():.0f} s after the start")
    return probe


def _start(
    here: _Here,
    planned: Planned,
    teaching: Teaching | None,
    probe: Probe | None,
    split: Split,
    embedding: Embedding,
    processes: Processes,
) -> Start:
    """Settle the plan by the time that is left, note it, and give what training starts from."""
    run, request, clock, material = here.run, here.request, here.clock, planned.material
    reserve = here.before.get("reserve") if run.plan.exists() else None
    if reserve is None:
        reserve = finish_seconds(material, planned.backend, planned.whole_rate, clock.slowness)
    plan, new = settle_plan(material, clock, here.asked, planned, split, reserve, request.store)
    if teaching is not None and planned.training and all(level.method == "stages" for level in plan.levels):
        unused = "the teacher is not asked: what is trained are stored activations, or the probe alone"
        plan, new = replace(plan, reasons=(*plan.reasons, unused)), (*new, unused)
    told = seen_before(request.weights, request.teacher, embedding.passed.digest[split.rows(TEST)])
    told = tuple(reason for reason in told if reason not in plan.reasons)
    plan, new = replace(plan, reasons=(*plan.reasons, *told)), (*new, *told)
    for reason in new:
        here.progress.say(f"plan: {reason}")
    run.facts |= {"plan": plan.to_json(), "reserve": reserve}
    run.write()
    plan.write(run.plan)
    return Start(
        material=material,
        plan=plan,
        probe=probe,
        split=split,
        digest=embedding.passed.digest,
        store=request.store,
        cache_size=request.cache_size,
        teacher=None if teaching is None else teaching.seeing(plan.pixels),
        backend=planned.backend,
        elapsed=_elapsed(run, clock),
        deadline=None if clock.budget is None else clock.budget - reserve,
        processes=processes,
    )


def _elapsed(run: Run, clock: Clock) -> Callable[[], float]:
    """The clock of training: one that goes on begins where the checkpoint was written."""
    return goes_on_from(elapsed_of(run.state)) if run.state.exists() else clock.elapsed


def _train(here: _Here, start: Start, trackers: Trackers) -> None:
    run, clock = here.run, here.clock
    if here.request.track:
        trackers.start(flat(start.plan.to_json()), epochs_of(run.state), time.time() - clock.elapsed())
    start.processes.say(BEGINS, str(run.folder.absolute()))
    with start.processes.own_cores():
        run.facts["chosen"] = train_network(start, run, here.progress, (trackers.epoch,))
    if start.probe is None:
        _refuse_untrained(run, clock.budget)


def _refuse_untrained(run: Run, budget: float | None) -> None:
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
        remedy=f"give {'more epochs' if budget is None else 'a longer --budget'}, or pretrained --weights",
    )
