"""What a person gives as weights: a file, or the name of published ones."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from linne.nets.weights.download import Progress, Say
from linne.nets.weights.fetch import fetch
from linne.nets.weights.published import IMAGENET, Published, pick
from linne.nets.weights.recognise import Weights, read_weights
from linne.records.errors import WeightsError


@dataclass(frozen=True, slots=True)
class Located:
    """A weights file on this machine; `published` is None for a file of the user's own."""

    path: Path
    published: Published | None

    @property
    def licence(self) -> str:
        """What is known of the licence, in words."""
        if self.published is None:
            return "that of the given weights file"
        return f"{self.published.licence or 'none stated'} ({self.published.source})"

    def read(self, network: str | None) -> Weights:
        """Read the tensors; published ones bring their preprocessing with them. Raises `WeightsError`."""
        if self.published is None:
            return read_weights(self.path, network)
        try:
            weights = read_weights(self.path, network)
        except WeightsError as error:  # a mirror gave another file: nothing told them apart until now
            tag, remedy = self.published.tag, f"delete {self.path} and fetch it again"
            problem = f"is not what was published as {tag}: {error.problem}"
            raise WeightsError(problem, file=self.path, value=error.value, remedy=remedy) from error
        return weights if weights.pixels is not None else replace(weights, pixels=self.published.pixels)


def locate(
    given: str | PathLike[str], network: str | None, progress: Progress | None = None, say: Say | None = None
) -> Located:
    """Find a weights file, fetching published ones.

    Parameters
    ----------
    given : str or path
        A file; or 'imagenet', 'imagenet:TAG' or a tag of the weights published for `network`.
    network : str, optional
        Catalogue name.
    progress : callable, optional
        Told the bytes of a download that are here, and the bytes in all.
    say : callable, optional
        Told in a line when a busy server is waited for.

    Raises
    ------
    WeightsError
        No such weights, or they cannot be fetched.
    """
    text = os.fspath(given)
    if Path(text).is_file():
        return Located(Path(text), None)
    named = text.partition(":")[0].lower() == IMAGENET
    if network is None:
        if named:
            raise WeightsError("published weights of which network?", value=text, remedy="name it with --network")
        return Located(Path(text), None)
    if named or (Path(text).name == text and not Path(text).suffix):
        weights = pick(network, text)
        return Located(fetch(weights, progress, say), weights)
    return Located(Path(text), None)
