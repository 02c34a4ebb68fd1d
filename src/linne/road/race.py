"""``linne race``: every generation on the same photos, the same split and the same budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from linne.embed.embedding import embed
from linne.embed.machine import machine
from linne.index.columns import Columns
from linne.records.errors import LinneError, RunError
from linne.records.fingerprint import of_settings
from linne.records.index import TEST, TRAIN, VALIDATION
from linne.records.leaderboard import Leaderboard, Result
from linne.records.lock import alone_in
from linne.records.places import user_cache
from linne.records.progress import Progress, Silent
from linne.records.truth import task_of
from linne.report.race import write_race
from linne.road.budget import parse_budget
from linne.road.drawn import draw
from linne.road.entrants import Entrant, PathName, entrants_of
from linne.road.look import as_seed, gather
from linne.road.race_conditions import conditions_of, read_kept, refuse_another_race
from linne.road.race_run import RESULTS, RUNS, Race, run_one
from linne.road.race_told import Named, in_words
from linne.road.request import Request, checked_choice
from linne.road.sizes import parse_size
from linne.road.standing import opened, places_of

LEADERBOARD, PAGE = "leaderboard.json", "race.html"


def race(
    photos: PathName,
    *,
    networks: Sequence[str] | None = None,
    weights: Sequence[PathName] = (),
    pretrained: bool = False,
    columns: Columns | None = None,
    budget: str | float | None = "2m",
    group_by: str | None = None,
    recipe: Mapping[str, Any] | None = None,
    seed: int = 0,
    open_test: bool = False,
    out: PathName | None = None,
    cache: PathName | None = None,
    cache_size: str | int = "10G",
    progress: Progress | None = None,
) -> Leaderboard:
    """Train a network of every generation on the same images, each within the same budget.

    What is finished is kept: after Ctrl-C the same call goes on, and one with more networks adds them.

    Parameters
    ----------
    photos : path
        As for `linne.fit`.
    networks : sequence of str, optional
        Names of `linne.nets.names()`; by default one of every generation.
    weights : sequence of path
        Files of pretrained weights, and folders of them: these networks race from them, too.
    pretrained : bool
        So do those whose published weights are in the user's cache. None is fetched.
    columns : Columns, optional
    budget : str or float, optional
        Of each network, from its start to its report; None for no end. Each does all of a run itself, and finds
        nothing in the store but what audit and split have looked at.
    group_by : str, optional
        As for `linne.fit`.
    recipe : mapping, optional
        Settings of training for all of them, as for `linne.fit`.
    seed : int
    open_test : bool
        At the end, open the test set for every network that has finished; each opening is noted in its run.
    out : path, optional
        The race's folder; by default ``races/NAME``.
    cache, cache_size, progress
        As for `linne.fit`.

    Returns
    -------
    Leaderboard
        Also in ``leaderboard.json`` and ``race.html`` of the race's folder.

    Raises
    ------
    RunError
        The folder holds a race under other conditions, or another process works in it.
    LinneError
        The images, a network's name or weights cannot be used. Such an error of one network's run, or want of memory,
        is told in its row, and the race goes on.
    """
    progress, seconds, seed = progress or Silent(), parse_budget(budget), as_seed(seed)
    store = Path(cache).absolute() if cache is not None else user_cache()
    chosen = {name: checked_choice(name, value) for name, value in (recipe or {}).items()}
    entrants = entrants_of(networks, weights, pretrained, progress)
    photos = Path(photos).absolute()
    request = Request(
        photos, columns, None, None, seconds, group_by, chosen, None, None, None, seed, store, parse_size(cache_size)
    )
    material = gather(photos, columns, None, None, seed, progress)
    if task_of(material.index) == "multi":
        raise LinneError(
            "has images with several labels or none, and a race is won by accuracy",
            file=photos,
            remedy="choose one label an image, or compare runs of `linne fit` by their mean average precision",
        )
    folder = Path(out) if out is not None else Path("races") / (material.index.name or "photos")
    _make(folder)
    with alone_in(folder):
        # One split for all, by what is seen without a network, so that no network has a say in it.
        embedding = embed(material.index, None, store, progress)
        drawn = draw(material.index, embedding, seed, group_by, store, progress)
        conditions = conditions_of(material.index, drawn.split, embedding, request)
        refuse_another_race(folder, conditions)
        here = Race(folder, material, drawn, embedding.passed, request, of_settings(conditions))
        raced = _run_all(here, entrants, progress)
        results = [*raced, *_of_earlier_calls(here, raced)]
        board = _write_board(here, results)
        if open_test:
            board = _write_board(here, [_with_test(here, result, progress) for result in results])
    return board


def _make(folder: Path) -> None:
    try:
        (folder / RESULTS).mkdir(parents=True, exist_ok=True)
        (folder / RUNS).mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(
            "no race can be held here", file=folder, value=error.strerror, remedy="choose another --out"
        ) from error


def _run_all(here: Race, entrants: Sequence[Entrant], progress: Progress) -> list[Result]:
    """Run those that have not finished yet; what fails for one of them is told in its result."""
    before = [entrant for entrant in entrants if here.result(entrant).exists()]
    kept = {entrant: read_kept(here.result(entrant), here.question) for entrant in before}
    done = {entrant: result for entrant, result in kept.items() if result.finish is not None}
    todo = [entrant for entrant in entrants if entrant not in done]
    if done:
        progress.say(f"race: {len(done)} of {len(entrants)} networks were finished before")
    budget = here.request.budget
    if todo:
        each = "without an end" if budget is None else f"{in_words(budget)} each"
        whole = "" if budget is None else f", {in_words(budget * len(todo))} in all, and a little to measure them"
        progress.say(f"race: {len(todo)} networks, {each}{whole}")
    for number, entrant in enumerate(todo):
        left = "" if budget is None else f", at most {in_words(budget * (len(todo) - number))} left"
        progress.say(f"race: {entrant.name}, {number + 1} of {len(todo)}{left}")
        result = run_one(here, entrant, Named(progress, entrant.name, number, len(todo), budget))
        done[entrant] = result
        result.write(here.result(entrant))
        if result.finish is not None:
            progress.say(f"race: {entrant.name}: {result.finish.validation} of validation right")
        else:
            progress.say(f"race: {entrant.name}: {result.reason}")
    return [done[entrant] for entrant in entrants]


def _of_earlier_calls(here: Race, raced: Sequence[Result]) -> list[Result]:
    """Results of networks that this call did not name."""
    names = {result.name for result in raced}
    paths = sorted((here.folder / RESULTS).glob("*.json"))
    return [result for result in (read_kept(path, here.question) for path in paths) if result.name not in names]


def _with_test(here: Race, result: Result, progress: Progress) -> Result:
    """Open the test set for one network, once."""
    if result.finish is None or result.finish.test is not None:
        return result
    progress.say(f"race: the test set is opened for {result.name}")
    tested = replace(result, finish=opened(here.run(result.name), result.finish, here.drawn.split, progress))
    tested.write(here.folder / RESULTS / f"{result.name}.json")
    return tested


def _write_board(here: Race, results: Sequence[Result]) -> Leaderboard:
    """Compare on test images where all that finished have seen them, else on validation images."""
    index, split, request, facts = here.material.index, here.drawn.split, here.request, machine()
    finishes = [result.finish for result in results if result.finish is not None]
    tested = bool(finishes) and all(finish.test is not None for finish in finishes)
    sizes = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
    rows = split.rows(TEST if tested else VALIDATION)
    trained = "" if facts["device"] == "cpu" else f"; trained on {facts['device']}"
    board = Leaderboard(
        folder=str(here.folder),
        photos=index.name or "photos",
        question=here.question,
        index=index.fingerprint,
        split=split.fingerprint,
        images={name: len(split.rows(which)) for name, which in sizes.items()},
        classes=len(index.labels),
        budget=request.budget,
        chosen=dict(request.chosen),
        seed=request.seed,
        machine=f"ONNX Runtime {facts['onnxruntime']} on the CPU, {facts['cores']} threads{trained}",
        subset="test" if tested else "validation",
        places=places_of(results, split.group[rows], tested, request.seed),
    )
    board.write(here.folder / LEADERBOARD)
    write_race(board, here.folder / PAGE)
    return board
