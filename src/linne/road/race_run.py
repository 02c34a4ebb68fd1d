"""One network of a race: its run, within its budget, and what it came to."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from linne.choose.network import choose
from linne.embed.backbone import backbone
from linne.embed.look import LOOKS_SHELF
from linne.embed.one_pass import Passed
from linne.embed.store import Shelf
from linne.records.errors import BudgetError, LinneError, RunError
from linne.records.leaderboard import Finish, Result
from linne.records.lock import LOCK, alone_in
from linne.records.progress import Progress
from linne.records.run import Run
from linne.records.split import Split
from linne.road.budget import Clock
from linne.road.ctrl_c import ctrl_c_as_an_end
from linne.road.drawn import Drawn
from linne.road.entrants import Entrant, raced_at
from linne.road.look import Material
from linne.road.request import Request
from linne.road.standing import finish_of
from linne.road.walk import walk
from linne.road.weights import locate_with_bar

RESULTS, RUNS = "results", "runs"

STORE = "store"
"""A run's own, in its folder while it is under way."""


@dataclass(frozen=True)
class Race:
    """What is the same for all networks; `passed` is the pass that audit and split are from."""

    folder: Path
    material: Material
    drawn: Drawn
    passed: Passed
    request: Request
    question: str

    def result(self, entrant: Entrant) -> Path:
        """Where its result is kept."""
        return self.folder / RESULTS / f"{entrant.name}.json"

    def run(self, name: str) -> Run:
        """Its run."""
        return Run(self.folder / RUNS / name)


def run_one(here: Race, entrant: Entrant, progress: Progress) -> Result:
    """Train a network, or go on with it, and measure it; what is the fault of it alone is told in the result.

    Raises
    ------
    KeyboardInterrupt, Stopped
        The process was told to end; the next call goes on from its checkpoint, or begins this network anew.
    """
    weights = Path(entrant.weights).name if entrant.weights else ""
    facts = (entrant.name, entrant.network, entrant.shown, entrant.year, entrant.start, here.question)
    result, run = Result(*facts, finish=None, weights=weights), here.run(entrant.name)
    run.folder.mkdir(parents=True, exist_ok=True)
    try:
        with alone_in(run.folder):
            try:
                result = replace(result, finish=_finish(here, run, entrant, progress))
            # For want of memory torch raises a RuntimeError, and NumPy a MemoryError.
            except (LinneError, RuntimeError, MemoryError) as error:
                result = replace(result, reason=_reason(run, entrant, error))
            shutil.rmtree(run.folder / STORE, ignore_errors=True)
    except RunError as error:  # another process works in it
        result = replace(result, reason=str(error))
    return result


def _finish(here: Race, run: Run, entrant: Entrant, progress: Progress) -> Finish:
    """Train a network unless it has been, and measure it."""
    if not run.is_finished():
        if run.asked.exists() and not run.state.exists():
            # It was begun. What it had done, and how long that took, is not known: it has its whole budget again.
            _clear(run)
        own = _own_store(here, run)
        clock = Clock.starting(here.request.budget)
        material = _with_network(here, entrant, progress)
        request = replace(here.request, weights=entrant.weights, network=entrant.network, store=own)
        request.write(run.asked)
        with ctrl_c_as_an_end():
            walk(run, request, material, clock, progress, here.drawn)
    run = Run.open(run.folder)
    if run.facts["chosen"]["stopped"] == "interrupt":  # before its first step: it had not its whole budget
        _clear(run)
        raise KeyboardInterrupt
    _refuse_another_split(here, run)
    return finish_of(run, here.drawn.split)


def _clear(run: Run) -> None:
    """Delete all but the lock."""
    for path in run.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _reason(run: Run, entrant: Entrant, error: Exception) -> str:
    """Why it did not finish. The next call goes on with what it has trained, or from the start if that is nothing."""
    learnt = entrant.start == "pretrained" or run.facts.get("chosen", {}).get("epoch") != 0
    if isinstance(error, BudgetError) or not learnt:
        shutil.rmtree(run.folder, ignore_errors=True)
    if not learnt:
        return "no epoch was better than the random start"
    if isinstance(error, BudgetError):
        return f"no epoch within the budget: {error}"
    if isinstance(error, LinneError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _own_store(here: Race, run: Run) -> Path:
    """A store with what has been looked at, and no more: what other runs left in the user's would be time saved."""
    own = run.folder / STORE
    if not own.exists():
        own.mkdir(parents=True)
        keys = here.passed.digest[here.passed.readable]
        if len(keys):
            looks = Shelf(here.request.store / LOOKS_SHELF)
            Shelf(own / LOOKS_SHELF).append([key.tobytes() for key in keys], looks.gather(keys))
    return own


def _with_network(here: Race, entrant: Entrant, progress: Progress) -> Material:
    material, seed = here.material, here.request.seed
    located = None if entrant.weights is None else locate_with_bar(entrant.weights, entrant.network, progress)
    choice = choose(material.sample, len(material.index.labels), located, entrant.network, seed)
    if choice.pretrained:
        return replace(material, choice=choice, backbone=backbone(choice.network, choice.pixels))
    choice = replace(choice, pixels=raced_at(choice.pixels, material.sample))
    return replace(material, choice=choice, backbone=None)


def _refuse_another_split(here: Race, run: Run) -> None:
    """Raise where a network had other images than the rest: the comparison would mean nothing."""
    split = Split.read(run.split)
    if not split.fingerprint == run.facts["fingerprints"]["split"] == here.drawn.split.fingerprint:
        raise RunError("was trained on another split", file=run.folder, remedy="delete it and run the race again")
