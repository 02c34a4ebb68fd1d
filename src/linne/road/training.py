"""The training step of the road: the network's start, then its levels, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from linne.fit.checkpoint import Checkpoints
from linne.fit.judge import Judge
from linne.fit.policy import Policy
from linne.fit.probe import Probe
from linne.fit.processes import ALONE, Processes
from linne.fit.tail import without_prefix
from linne.fit.teacher import keep_two_heads
from linne.fit.train import Loop, Position
from linne.nets.weights import write_weights
from linne.pixels.cache import FOLDER, PixelCache
from linne.records import fingerprint
from linne.records.epoch import Epoch
from linne.records.errors import LinneError, RunError
from linne.records.index import VALIDATION
from linne.records.plan import Plan
from linne.records.progress import Progress
from linne.records.run import Run
from linne.records.split import Split
from linne.records.truth import truth_of
from linne.road.level import Start, make_level


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

    def write() -> None:
        if processes.first:
            write_weights(run.checkpoint, network, plan.network, plan.pixels)

    def keep() -> None:
        if processes.shard and loop.judge.best is not None:  # the network that is trained is a copy in pieces
            network.load_state_dict(without_prefix(loop.judge.best.weights))
        write()

    if not plan.levels and probe is not None:
        write()
        return {"method": "probe", "epoch": 0, **scores_of(probe), "stopped": "", "left_out": {}}
    truth = truth_of(index, start.split.rows(VALIDATION))
    failed: dict[int, str] = {}
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
        failed=failed,
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
    pixel_cache = open_pixel_cache(plan, start.digest, start.store, start.cache_size, processes)
    stopped = loop.position.stopped
    try:
        for number in range(loop.position.level, len(plan.levels)):
            loop.position.level = number
            processes.equalise(network)
            # To get back to where it was is no time of the run: the views are made again whatever they take.
            level = make_level(replace(start, deadline=None) if state else start, number, pixel_cache, failed, progress)
            if state:
                level.trainer.load(state)
            elif loop.judge.best is not None:
                level.trainer.take(loop.judge.best.weights)
            stopped = loop.run(level, plan.levels[number].patience)
            state = {}
            if stopped in ("deadline", "interrupt"):
                break
            loop.position = Position(number + 1, level.first + level.epochs, stopped=stopped)
            loop.checkpoint(None)
    finally:
        if pixel_cache is not None:
            if not pixel_cache.keeps:
                progress.say(f"pixel cache: {pixel_cache.problem}; some images are decoded anew in each epoch")
            pixel_cache.close()
    loop.gather_failed()
    left_out = {index.path(row): reason for row, reason in failed.items()}
    if left_out:
        progress.say(f"left out: {len(left_out)} images, such as {next(iter(left_out.values()))}")
    assert loop.judge.best is not None  # noqa: S101 - a level has been run, or was before
    network.load_state_dict(without_prefix(loop.judge.best.weights))
    loop.judge.keep_best()
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
    weights, teacher, pixels = plan.weights_fingerprint, plan.teacher_fingerprint, plan.pixels.fingerprint
    decided = [plan.network, weights, teacher, pixels, levels, plan.flip, plan.seed, split.fingerprint]
    return fingerprint.of_settings(decided)


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


def open_pixel_cache(
    plan: Plan, digest: NDArray[np.uint8], store: Path, limit: int, processes: Processes = ALONE
) -> PixelCache | None:
    """Open the cache of pixels, where a plan shows an image more than once."""
    levels = [level for level in plan.levels if level.method != "stages"]
    if not levels or sum(level.epochs for level in levels) < 2 or limit == 0:
        return None
    side = Policy.named(levels[0].augment, plan.flip).cache_side(plan.pixels)
    if not processes.first:
        processes.wait()  # one writes it: who comes first
    cache = PixelCache(store / FOLDER, digest, plan.pixels.channels, side, limit)
    if processes.first:
        processes.wait()
    return cache


def install(network: nn.Module, probe: Probe) -> None:
    """Make the probe the network's classifier."""
    with torch.no_grad():
        network.classifier.weight.copy_(torch.from_numpy(probe.weight))  # type: ignore[union-attr,operator]
        network.classifier.bias.copy_(torch.from_numpy(probe.bias))  # type: ignore[union-attr,operator]


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
