"""Trials of recipes, one after the other."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linne.fit.space import Axis, at, axes
from linne.records.epoch import Epoch
from linne.records.errors import DivergedError, LinneError
from linne.records.plan import Plan
from linne.records.progress import Progress, Silent
from linne.records.recipe import Recipe
from linne.records.run import Run
from linne.records.trials import State, Trial, TrialLog, best_of, score_of
from linne.road.best_recipe import write_best
from linne.road.budget import Clock
from linne.road.contender import Contender
from linne.road.outlook import Asked
from linne.road.training import train_network
from linne.road.tuning import LAST_RUN, Terms

if TYPE_CHECKING:
    from linne.fit.search import Running

WORTH_BEGINNING = 0.5
"""A trial is begun where there is time for so much of the planner's own training."""

NO_TIME = "there was no time for a step of training"


class Pruned(Exception):  # noqa: N818 - no error: the trial is given up
    """A trial is worse than others were at the same point."""


@dataclass
class Trials:
    """The trials of a search, kept in its folder."""

    folder: Path
    contenders: dict[str, Contender]
    terms: Terms
    asked: Asked
    progress: Progress
    log: TrialLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = TrialLog(self.folder / "trials.jsonl")

    def go(self, clock: Clock, most: int | None, command: str) -> Trial:
        """Try until the time or the number is used up; ``best.toml`` and ``plan.json`` are always those of the best."""
        from linne.fit.search import Search

        methods = {name: list(ways) for name, ways in self.terms.methods.items()}
        search = Search(methods, self._space, self.asked.seed, self.log.trials)
        made = 0
        while (most is None or made < most) and (not self.log.trials or self.has_time(clock)):
            running = search.next()
            self.log.add(running.trial)
            ended = self._try(running, clock)
            running.end(ended)
            self.log.add(ended)
            made += 1
            best = best_of(self.log.trials)
            if best is ended:
                write_best(self.folder, ended, self._plan(ended), self.asked.chosen, command)
            self._tell(ended, best, clock)
        best = best_of(self.log.trials)
        if best is None:
            raise LinneError(
                "no trial came to its end", file=self.folder, remedy="give a longer --budget, or other settings"
            )
        write_best(self.folder, best, self._plan(best), self.asked.chosen, command)
        return best

    def has_time(self, clock: Clock) -> bool:
        """Whether another trial is worth beginning before the last run must be."""
        left = self._left(clock)
        return left is None or left >= WORTH_BEGINNING * self.terms.training

    def _left(self, clock: Clock) -> float | None:
        """Seconds for trials; the last run has its own, and what comes before its training is known by now."""
        left, again = clock.left(), max((each.again for each in self.contenders.values()), default=0.0)
        if left is None or clock.budget is None:
            return None
        last_run = LAST_RUN * clock.budget if self.terms.last_run is None else self.terms.last_run
        return left - last_run - again

    def _try(self, running: Running, clock: Clock) -> Trial:
        trial = running.trial
        contender, levels = self.contenders[trial.network], self._levels(trial)
        quiet = _OneTrial(self.progress, f"trial {trial.number}")
        inputs = contender.make_inputs(levels, quiet)
        if len(self.log.trials) > 1 and not self.has_time(clock):  # that took it
            return replace(trial, state="stopped", why=NO_TIME)
        longest = None if self.terms.longest is None else self.terms.longest - inputs
        ends = [seconds for seconds in (self._left(clock), longest) if seconds is not None]
        own = Clock.starting(max(min(ends), 0.0) if ends else None)
        folder, epochs = self.folder / "trials" / str(trial.number), sum(level.epochs for level in levels)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)

        judged: list[Epoch] = []

        def hear(epoch: Epoch) -> None:
            judged.append(epoch)
            if running.is_poor(score_of(epoch.accuracy, epoch.log_loss), epoch.epoch / epochs):
                raise Pruned

        def ended(state: State, **facts: Any) -> Trial:
            seconds, reported = round(own.elapsed(), 3), tuple(running.reported)
            return replace(trial, state=state, seconds=seconds, reported=reported, **facts)

        try:
            chosen = train_network(contender.start(levels, own), Run(folder), quiet, (hear,))
        except Pruned:
            return ended("pruned")
        except DivergedError as error:
            return ended("failed", why=str(error))
        finally:
            shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        if chosen["stopped"] == "interrupt":
            raise KeyboardInterrupt
        if not any(epoch.epoch > 0 for epoch in judged):
            return ended("stopped", why=NO_TIME)
        trained = [epoch for epoch in judged if epoch.epoch > 0 and math.isfinite(epoch.log_loss)]
        if not trained:
            return ended("failed", why="the network diverged in its last step")
        kept = [epoch for epoch in trained if epoch.epoch == chosen["epoch"]]  # none where the start was better
        best = max(kept or trained, key=lambda epoch: epoch.rank)
        facts = {name: getattr(best, name) for name in ("accuracy", "log_loss", "epoch")}
        return ended("complete", score=score_of(best.accuracy, best.log_loss), **facts)

    def _levels(self, trial: Trial) -> tuple[Recipe, ...]:
        planned = self.terms.methods[trial.network][trial.method]
        if trial.as_planned:
            return planned  # the planner's own, wherever the space ends
        return at(planned, trial.values)

    def _plan(self, trial: Trial) -> Plan:
        return replace(self.contenders[trial.network].plan, levels=self._levels(trial))

    def _space(self, network: str, method: str) -> tuple[Axis, ...]:
        contender = self.contenders[network]
        levels = self.terms.methods[network][method]
        return axes(levels, contender.has_drop_path, self.asked.chosen)

    def _tell(self, trial: Trial, best: Trial | None, clock: Clock) -> None:
        what = f"{trial.state} after {trial.seconds:.0f} s"
        if trial.score is not None:
            what = f"score {trial.score:.4f} (accuracy {trial.accuracy:.3f}), {trial.seconds:.0f} s"
        of = f"{trial.network}, {trial.method}" if len(self.contenders) > 1 else trial.method
        left = self._left(clock)
        told = "" if left is None else f"; {max(left, 0):.0f} s left to search"
        so_far = "" if best is None else f"; best {best.score:.4f}, trial {best.number}"
        self.progress.say(f"trial {trial.number}: {what}; {of}{so_far}{told}")


class _OneTrial(Silent):
    """The bar of a trial; its single epochs are in its history."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name = progress, name

    def start(self, step: str, total: float, unit: str) -> None:
        """Begin a step."""
        self._progress.start(self._name if step == "train" else step, total, unit)

    def update(self, done: float, note: str = "") -> None:
        """Report the units done."""
        self._progress.update(done, note)

    def finish(self) -> None:
        """End the step."""
        self._progress.finish()
