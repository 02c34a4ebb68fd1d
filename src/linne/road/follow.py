"""What the processes beside the first one do in a fit: wait until training begins, and train with it."""

from __future__ import annotations

from pathlib import Path

from linne.fit.processes import BEGINS, DONE, Processes
from linne.records.index import Index
from linne.records.plan import Plan
from linne.records.progress import Silent
from linne.records.run import Run
from linne.records.split import Split
from linne.road.given import as_planned
from linne.road.level import Start
from linne.road.look import look_at
from linne.road.request import Request
from linne.road.teacher import read_teacher
from linne.road.training import train_network


def follow(processes: Processes) -> Run:
    """Do another process's part of a fit.

    Returns
    -------
    Run
        That of the first process, when it is done with it.

    Raises
    ------
    LinneError
        What the first process has written, or the photos, cannot be read here; or the first one has ended.
    """
    called, folder = processes.said(BEGINS, DONE)
    run = Run(Path(folder))
    if called == BEGINS:
        request = Request.read(run.asked)
        plan, split = Plan.read(run.plan), Split.read(run.split)
        # The index is the run's: a photo that has vanished since must not shift the others.
        looked_at = look_at(Index.read(run.index), request.weights, plan.network, request.seed, Silent())
        material = as_planned(looked_at, plan)
        given = request.teacher
        start = Start(
            material=material,
            plan=plan,
            probe=None,
            split=split,
            digest=Split.read_digests(run.split),
            store=request.store,
            cache_size=request.cache_size,
            teacher=None if given is None else read_teacher(given, material.index.labels).seeing(plan.pixels),
            backend=None,
            elapsed=lambda: 0.0,  # the first process has the clock
            deadline=None,
            processes=processes,
        )
        if plan.levels or not material.choice.pretrained:
            with processes.own_cores():
                train_network(start, run, Silent())
        processes.said(DONE)
    return Run.open(run.folder)
