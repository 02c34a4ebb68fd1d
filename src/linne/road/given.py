"""A plan that is there already: that of the run, which goes on, or one that was given, which is done again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from linne.embed.backbone import Features, backbone
from linne.embed.backends import Builder
from linne.embed.measure import Pick
from linne.embed.way import Way
from linne.fit.plan import refuse_if_too_short
from linne.records.errors import LinneError
from linne.records.plan import Plan
from linne.records.run import Run
from linne.road.budget import Clock
from linne.road.by_hand import refuse_what_the_network_lacks, takes
from linne.road.look import Material
from linne.road.outlook import Asked, outlook_of, with_rates
from linne.road.planning import Planned
from linne.road.probing import backend_of
from linne.road.request import Request
from linne.runtime.torchrun import started_by_torchrun

SETTINGS_OF_SPEED = ("augment", "precision", "lanes", "channels_last", "optimiser")
"""With which training is measured."""


def plan_of(
    run: Run, request: Request, before: dict[str, Any], material: Material, clock: Clock, asked: Asked
) -> Planned | None:
    """Give the plan that a run has, or was given; None where one is to be made.

    `before` is what the run's diary held. A run that goes on embeds as it did. One that begins is refused where its
    budget is too short, and measures what nothing else tells: how fast a network without pretrained weights is.

    Raises
    ------
    LinneError
        It is a plan for other weights or another network, or the budget is too short.
    """
    goes_on = run.plan.exists()
    path = run.plan if goes_on else request.plan
    if path is None:
        return None
    plan = Plan.read(path)
    _refuse_another_start(plan, path, material)
    views = max((level.views for level in plan.levels), default=1)
    if views > 1 and started_by_torchrun():
        remedy = "go on with one process" if goes_on else "edit the plan, or take one process"
        raise LinneError("several views of an image are made by one process", file=path, value=views, remedy=remedy)
    material = as_planned(material, plan)
    if not goes_on:
        for level in plan.levels:
            refuse_what_the_network_lacks(material.choice, level.lanes, level.drop_path, path)
    backend = backend_of(material, request.store, plan.stage, None if goes_on else clock.left())
    if goes_on:
        backend = _as_before(backend, material, plan.stage, before)
        return Planned(material, replace(plan, budget=clock.budget), None, backend, plan.stage, None)
    rate = None
    if clock.budget is not None:
        outlook = outlook_of(material, clock, asked, backend, request.store)
        refuse_if_too_short(outlook)
        if backend is None:
            as_there = {name: getattr(plan.levels[0], name) for name in SETTINGS_OF_SPEED}
            by_plan = replace(asked, chosen=as_there)
            measured = with_rates(outlook, material, clock, by_plan, backend, request.store).whole_rate
            rate = None if measured is None else measured.images_per_second
    return Planned(material, replace(plan, budget=clock.budget), None, backend, plan.stage, rate)


def as_planned(material: Material, plan: Plan) -> Material:
    """Give the material with the plan's pixels."""
    choice = replace(material.choice, pixels=plan.pixels)
    seen_by = backbone(choice.network, plan.pixels) if choice.pretrained else None
    return replace(material, choice=choice, backbone=seen_by)


def _refuse_another_start(plan: Plan, path: Path, material: Material) -> None:
    if plan.network != material.choice.name:
        raise LinneError(
            f"is a plan for {plan.network}", file=path, value=material.choice.name, remedy="give its --network"
        )
    weights = material.backbone.weights if material.backbone else ""
    if plan.weights_fingerprint != weights:
        raise LinneError(
            "is a plan for other weights", file=path, value=plan.weights, remedy="give the --weights it was made for"
        )
    sides = {min(plan.pixels.height, plan.pixels.width)}
    for level in plan.levels:
        sides |= {side for side in (level.first_side, level.last_side) if side is not None}
    for side in sorted(sides):
        if not takes(material.choice.network, plan.pixels, side):
            raise LinneError("the network takes no input of that side", file=path, value=side, remedy="edit the plan")
    deepest = len(material.choice.network.stages()) - 1  # type: ignore[operator]
    if plan.stage is not None and plan.stage > deepest:
        raise LinneError("frozen_stages is out of range", file=path, value=plan.stage, remedy=f"give 1 to {deepest}")


def _as_before(found: Pick | None, material: Material, stage: int | None, before: dict[str, Any]) -> Pick | None:
    """Take the way that the run took, where it still runs here: others give other last bits."""
    if found is None or material.backbone is None or not before.get("backend"):
        return found
    way = Way.of(before["backend"]["name"])
    if way == found.way or not found.rates.get(way):
        return found
    builder = Builder(Features(material.backbone.network, stage), material.backbone.pixels)
    return Pick(way, lambda: builder.build(way), found.rates)
