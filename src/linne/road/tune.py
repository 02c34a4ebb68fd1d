"""``linne tune``: the search for a recipe, and the run with what it found."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import torch

from linne.index.columns import Columns
from linne.records.errors import InstallError, LinneError
from linne.records.lock import alone_in
from linne.records.places import user_cache
from linne.records.progress import Progress, Silent
from linne.records.run import Run
from linne.records.trials import Trial
from linne.records.truth import task_of
from linne.road.budget import Clock, parse_budget
from linne.road.contender import Contender, make_contender
from linne.road.fit import fit
from linne.road.look import as_seed, gather
from linne.road.outlook import Asked
from linne.road.request import checked_choice
from linne.road.sizes import parse_size
from linne.road.trials import Trials
from linne.road.tuning import Materials, Terms, agree, in_words, settled
from linne.road.weights import lasting
from linne.runtime.cores import available_cores

PathName = str | PathLike[str]


@dataclass(frozen=True)
class Tuned:
    """What a search gave.

    Attributes
    ----------
    folder : Path
        Holds ``trials.jsonl``, ``best.toml``, ``plan.json`` and ``runs/``.
    trials : tuple of Trial
        All that were tried, those of earlier searches in this folder too.
    best : Trial
    run : Run
        Trained as the best of them was, with report and bundle.
    """

    folder: Path
    trials: tuple[Trial, ...]
    best: Trial
    run: Run


def tune(
    photos: PathName,
    *,
    columns: Columns | None = None,
    weights: Sequence[PathName] = (),
    networks: Sequence[str] = (),
    budget: str | float | None = "1h",
    trials: int | None = None,
    group_by: str | None = None,
    flip: bool | None = None,
    recipe: Mapping[str, Any] | None = None,
    seed: int = 0,
    folder: PathName | None = None,
    cache: PathName | None = None,
    cache_size: str | int = "10G",
    progress: Progress | None = None,
    started: float | None = None,
    command: str = "linne.tune",
) -> Tuned:
    """Search for the recipe and the network that suit a folder of images, then train with them.

    The search begins with the recipe that `linne.fit` would plan, and ends with a run as `linne.fit` makes it. The best
    is chosen by validation images (`linne.records.trials.score_of`); the test set stays sealed.

    Parameters
    ----------
    photos : path
        See `linne.fit`.
    columns : Columns, optional
    weights : sequence of path or str, optional
        Pretrained weights; of several, each is tried.
    networks : sequence of str, optional
        Names of networks; of several, each is tried, with the only one of `weights` ('imagenet', say) or without.
    budget : str or float, optional
        Of everything, the last run included, which takes what is left at the end.
    trials : int, optional
        How many to make at most in this call.
    group_by, flip : optional
        See `linne.fit`.
    recipe : mapping, optional
        Settings that are decided by hand, and not searched.
    seed : int
    folder : path, optional
        By default ``tunes/NAME``. A search that is there is gone on with.
    cache, cache_size, progress, started : optional
        See `linne.fit`.
    command : str
        What ``best.toml`` says that it comes from.

    Returns
    -------
    Tuned

    Raises
    ------
    LinneError
        The budget is too short, or the folder holds another search.
    InstallError
        Optuna is missing.

    Examples
    --------
    >>> import linne
    >>> tuned = linne.tune("photos", weights=["mobilenet_v2.safetensors"], budget="1h")  # doctest: +SKIP
    >>> linne.evaluate(tuned.run.folder)  # doctest: +SKIP
    """
    clock = Clock(time.monotonic() if started is None else started, parse_budget(budget))
    _refuse_what_is_missing()
    torch.set_num_threads(min(torch.get_num_threads(), available_cores()))  # see `linne.road.walk`
    if clock.budget is None and trials is None:
        raise LinneError("a search without an end", remedy="give a --budget, or --trials")
    if trials is not None and trials < 1:
        raise LinneError("is no number of trials", value=trials, remedy="give 1 or more")
    chosen = {name: checked_choice(name, value) for name, value in (recipe or {}).items()}
    if chosen.get("method") == "probe":
        raise LinneError("a probe has nothing to tune", remedy="leave method away")
    progress, store = progress or Silent(), user_cache() if cache is None else Path(cache).absolute()
    asked = Asked(as_seed(seed), None, chosen, flip)
    materials = _materials(photos, columns, weights, networks, asked, progress)
    name = next(iter(materials.values()))[0].index.name
    place = Path(folder) if folder is not None else Path("tunes") / (name or "photos")
    place.mkdir(parents=True, exist_ok=True)
    with alone_in(place):
        materials, terms = settled(place, materials, clock, group_by, store, progress)
        progress.say(in_words(terms))
        contenders = _contenders(materials, terms, group_by, store, parse_size(cache_size), progress)
        agree(terms, place, contenders, [list(materials), chosen])
        searching = Trials(place, contenders, terms, asked, progress)
        best = searching.go(clock, trials, command)
        progress.say(
            f"the best of {len(searching.log.trials)} trials is {best.number}; now a run of its own, in what is left"
        )
        plan = contenders[best.network].plan
        run = fit(
            photos,
            columns=columns,
            weights=plan.weights,
            network=plan.network,
            budget=None if clock.budget is None else max(clock.left() or 0.0, 1.0),
            group_by=group_by,
            flip=flip,
            plan=place / "plan.json",
            seed=asked.seed,
            out=place / "runs",
            cache=store,
            cache_size=cache_size,
            progress=progress,
        )
    return Tuned(place, tuple(searching.log.trials), best, run)


def _materials(
    photos: PathName,
    columns: Columns | None,
    weights: Sequence[PathName],
    networks: Sequence[str],
    asked: Asked,
    progress: Progress,
) -> Materials:
    """Read the photos, and load each network."""
    materials: Materials = {}
    for given, network in _pairs(weights, networks):
        material = gather(Path(photos), columns, given, network, asked.seed, progress)
        if task_of(material.index) == "multi":
            raise LinneError(
                "has images with several labels or none, and trials are compared by accuracy",
                file=photos,
                remedy="choose one label an image, or give `linne fit` settings with --set",
            )
        own = replace(asked, weights=None if given is None else lasting(given))
        materials[_free_name(material.choice.name, materials)] = material, own
    return materials


def _contenders(
    materials: Materials, terms: Terms, group_by: str | None, store: Path, cache_size: int, progress: Progress
) -> dict[str, Contender]:
    """Make those networks ready that there is time to train."""
    contenders = {}
    for name, (material, own) in materials.items():
        ways = list(terms.methods.get(name, {}).values())
        if not ways:
            progress.say(f"{name}: left out, there is time for its probe alone")
            continue
        stage = next((level.frozen_stages for level in ways[0] if level.method == "stages"), None)
        contenders[name] = make_contender(name, material, own, group_by, store, cache_size, stage, progress)
    return contenders


def _refuse_what_is_missing() -> None:
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError as error:
        raise InstallError(
            f"tuning needs {error.name}, which is not installed", remedy='pip install "linne[tune]"'
        ) from error


def _pairs(weights: Sequence[PathName], networks: Sequence[str]) -> list[tuple[PathName | None, str | None]]:
    """Weights and network of each contender."""
    if len(weights) > 1 and len(networks) > 1:
        raise LinneError(
            "several --weights and several --networks", remedy="give several of one, and one of the other at most"
        )
    return [(given, network) for given in (*weights,) or (None,) for network in (*networks,) or (None,)]


def _free_name(network: str, taken: Mapping[str, object]) -> str:
    """A network's name, with a number where it is there with other weights."""
    numbered = (f"{network} {number}" if number > 1 else network for number in range(1, len(taken) + 2))
    return next(name for name in numbered if name not in taken)
