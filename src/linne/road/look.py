"""From a folder to what is looked at, and through which network."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from os import PathLike
from pathlib import Path

from linne.choose.network import Choice, choose
from linne.choose.sample import Sample, take_sample
from linne.embed.backbone import Backbone, backbone
from linne.index.columns import Columns
from linne.index.photos import read_photos, read_photos_or_images
from linne.records.errors import LinneError
from linne.records.index import Index
from linne.records.progress import Progress
from linne.road.weights import locate_with_bar

LARGEST_SEED = 2**32 - 1
"""What NumPy, scikit-learn and torch all take."""


@dataclass(frozen=True)
class Material:
    """What is at hand before the pass.

    Attributes
    ----------
    index : Index
    sample : Sample
    choice : Choice
    backbone : Backbone or None
        None without pretrained weights.
    """

    index: Index
    sample: Sample
    choice: Choice
    backbone: Backbone | None


def as_seed(seed: object) -> int:
    """Any whole number, NumPy's too, as an int; `LinneError` for what is none or out of range."""
    whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not whole or not 0 <= int(seed) <= LARGEST_SEED:  # type: ignore[call-overload]
        raise LinneError("is no seed", value=seed, remedy=f"give a whole number from 0 to {LARGEST_SEED}")
    return int(seed)  # type: ignore[call-overload,no-any-return]


def gather(
    photos: Path,
    columns: Columns | None,
    weights: str | PathLike[str] | None,
    network: str | None,
    seed: int,
    progress: Progress,
    labelled: bool = True,
) -> Material:
    """Read the photos and choose the network; raises what these raise. Unless `labelled`, they may have no classes."""
    index = (read_photos if labelled else read_photos_or_images)(photos, columns)
    return look_at(index, weights, network, seed, progress)


def look_at(
    index: Index, weights: str | PathLike[str] | None, network: str | None, seed: int, progress: Progress
) -> Material:
    """Choose the network for photos that have been read."""
    located = None if weights is None else locate_with_bar(weights, network, progress)
    sample = take_sample(index)
    choice = choose(sample, max(len(index.labels), 1), located, network, seed)
    return Material(index, sample, choice, backbone(choice.network, choice.pixels) if choice.pretrained else None)
