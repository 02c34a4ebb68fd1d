"""Which recipe to try next, from those that were tried: Optuna's sampler and pruner on our own record of trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from linne.fit.draw import rng_of
from linne.fit.space import Axis, Number, planned
from linne.records.errors import RunError
from linne.records.trials import Trial, Value

AT_RANDOM = 6
"""Trials that are drawn evenly from the space before the sampler learns from them."""

COMPARED_WITH = 3
"""Complete trials that there must be before one is given up."""

RUNGS = 8
"""Eighths of a training at which trials are compared."""

FIRST_COMPARED = 2
"""Eighths before which none is given up: a high learning rate starts badly and may end well."""

MOST_STARTS = 2
"""Of the planner's own recipe, where its process was ended before it was."""

NETWORK = "network"

Space = Callable[[str, str], Sequence[Axis]]
"""Given a network and a method, the axes of its space."""


class Search:
    """A search over networks, ways to train them, and recipes.

    Bergstra, Bardenet, Bengio, Kégl: "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011 (the tree-structured
    Parzen estimator); poor trials are given up by the median rule (Golovin et al.: "Google Vizier", KDD 2017). What is
    drawn depends on the seed, the trial's number and the trials before, so a search that was cut off goes on as if it
    had not been.

    Parameters
    ----------
    methods : mapping of str to sequence of str
        Of each network by name; the first of each is the planner's.
    space : callable
    seed : int
    trials : sequence of Trial
        Those that have ended.
    """

    def __init__(
        self, methods: Mapping[str, Sequence[str]], space: Space, seed: int, trials: Sequence[Trial] = ()
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._methods, self._space, self._seed = methods, space, seed
        pruner = optuna.pruners.MedianPruner(COMPARED_WITH, n_warmup_steps=FIRST_COMPARED)
        self._study = optuna.create_study(direction="maximize", pruner=pruner)
        self._tried = list(trials)
        for trial in trials:
            self._study.add_trial(self._known(trial))

    def next(self) -> Running:
        """Draw a trial; the first of each network is the planner's own recipe."""
        names, number = list(self._methods), max((trial.number for trial in self._tried), default=-1) + 1
        to_come = next((name for name in names if not self._is_judged(name)), None)
        drawn = rng_of(self._seed, 0, number).getrandbits(32)
        self._study.sampler = optuna.samplers.TPESampler(seed=drawn, n_startup_trials=AT_RANDOM)
        if to_come is not None:
            network = to_come
            method = self._methods[network][0]
            values = planned(tuple(self._space(network, method)))
            self._study.enqueue_trial({NETWORK: network, _of(network): method, **values})
        trial = self._study.ask()
        network = str(trial.suggest_categorical(NETWORK, names))
        method = str(trial.suggest_categorical(_of(network), list(self._methods[network])))
        values = {}
        for axis in self._space(network, method):
            if isinstance(axis, Number):
                values[axis.name] = trial.suggest_float(axis.name, axis.low, axis.high)
            else:
                picked = trial.suggest_categorical(axis.name, list(axis.options))
                values[axis.name] = next(option for option in axis.options if option == picked)
        return Running(self._study, trial, Trial(number, network, method, values, to_come is not None), self._tried)

    def _is_judged(self, network: str) -> bool:
        """Whether the planner's own recipe has come to its end, or was tried often enough."""
        own = [trial for trial in self._tried if trial.as_planned and trial.network == network]
        return len(own) >= MOST_STARTS or any(trial.state != "stopped" for trial in own)

    def _known(self, trial: Trial) -> FrozenTrial:
        """Give Optuna a trial that it has forgotten."""
        if trial.method not in self._methods.get(trial.network, ()):
            raise RunError("is of another search", value=f"trial {trial.number}", remedy="search in another --folder")
        params: dict[str, Value] = {NETWORK: trial.network, _of(trial.network): trial.method}
        distributions: dict[str, BaseDistribution] = {
            NETWORK: CategoricalDistribution(list(self._methods)),
            _of(trial.network): CategoricalDistribution(list(self._methods[trial.network])),
        }
        for axis in self._space(trial.network, trial.method):
            params[axis.name] = trial.values[axis.name]
            if isinstance(axis, Number):
                distributions[axis.name] = FloatDistribution(axis.low, axis.high)
            else:
                distributions[axis.name] = CategoricalDistribution(list(axis.options))
        state = STATES[trial.state]
        return create_trial(
            state=state,
            value=trial.score if state == TrialState.COMPLETE else None,
            params=params,
            distributions=distributions,
            intermediate_values=dict(trial.reported),
        )


STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.PRUNED,
    "stopped": TrialState.FAIL,
}
"""One that failed is as one given up before it was judged: the sampler keeps away from there. One that was stopped
tells nothing."""


class Running:
    """A trial that is being trained.

    Attributes
    ----------
    trial : Trial
        As it begins.
    reported : list of (int, float)
        As in the trial's record.
    """

    def __init__(self, study: optuna.Study, asked: optuna.Trial, trial: Trial, tried: list[Trial]) -> None:
        self._study, self._asked, self.trial, self._tried = study, asked, trial, tried
        self.reported: list[tuple[int, float]] = []

    def is_poor(self, score: float, share: float) -> bool:
        """Take an epoch's score after a `share` of the training; tell whether to give the trial up.

        The planner's own recipe is not given up: what is found must be no worse than that.
        """
        rung = int(share * RUNGS)
        if rung < 1 or (self.reported and self.reported[-1][0] >= rung):
            return False
        self.reported.append((rung, score))
        self._asked.report(score, rung)
        return not self.trial.as_planned and share < 1 and bool(self._asked.should_prune())

    def end(self, ended: Trial) -> None:
        """Take how it ended."""
        self._tried.append(ended)
        state = STATES[ended.state]
        self._study.tell(self._asked, ended.score if state == TrialState.COMPLETE else None, state)


def _of(network: str) -> str:
    return f"method of {network}"
