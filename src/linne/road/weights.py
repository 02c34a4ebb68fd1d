"""Weights for the road: found or fetched, with a bar while bytes come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path

from linne.nets.weights.fetch import fetch
from linne.nets.weights.locate import Located, locate
from linne.nets.weights.published import Published
from linne.records.progress import Progress


def fetch_with_bar(weights: Published, progress: Progress) -> Path:
    """Fetch published weights; raises `WeightsError` with what to fetch and where to put it."""
    with _bar(progress) as told:
        return fetch(weights, told, progress.say)


def locate_with_bar(given: str | PathLike[str], network: str | None, progress: Progress) -> Located:
    """Find what a person gave as weights, and tell the licence of published ones."""
    with _bar(progress) as told:
        located = locate(given, network, told, progress.say)
    if located.published is not None:
        progress.say(f"weights: {located.published.tag} of {located.published.network}, licence {located.licence}")
    return located


def lasting(given: str | PathLike[str]) -> str:
    """Weights that are a file, by their whole path, so that they are found from another folder too; tags stay."""
    path = Path(given)
    return str(path.absolute()) if path.exists() else fspath(given)


@contextmanager
def _bar(progress: Progress) -> Iterator[Callable[[int, int], None]]:
    """Draw from the first byte on, and only then."""
    started = False

    def told(here: int, total: int) -> None:
        nonlocal started
        if not started:
            progress.start("fetch", max(here, total) / 1e6, "MB")
            started = True
        progress.update(here / 1e6)

    try:
        yield told
    finally:
        if started:
            progress.finish()
