"""Which folders are classes, and which are subsets above them: on disk and in archives alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linne.index.labelled import refuse_half_a_split
from linne.index.names import SUBSET_NAMES, natural_key
from linne.records.index import NONE, SUBSETS

LOOSE = "lies in no class folder"


@dataclass(frozen=True)
class FolderMeaning:
    """What folders with images in them mean.

    Attributes
    ----------
    names : list of str
        Of classes.
    label : (folders,) int32 array
        Position in `names`; -1 where a folder lies in no class.
    subset : (folders,) int8 array
    """

    names: list[str]
    label: NDArray[np.int32]
    subset: NDArray[np.int8]


def meaning_of(source: Path, folders: Sequence[str], archive: bool = False) -> FolderMeaning:
    """Say what folders that hold images mean.

    ``CLASS/...`` gives a class without a subset. Where every top folder is named train, validation (val, valid)
    or test, and train is among them, ``SUBSET/CLASS/...`` is read and the split is the user's.

    Parameters
    ----------
    source : Path
        What errors name.
    folders : sequence of str
        Below the root, with ``/``; empty for the root.
    archive : bool
        Of an archive, one folder that holds all others is passed over: packing tools put it there.

    Raises
    ------
    DataError
        Half a split.
    """
    parts = [folder.split("/") if folder else [] for folder in folders]
    while archive and _wrapped(parts):
        parts = [part[1:] for part in parts]
    subsets = _subset_folders(source, parts)
    depth = 1 if subsets else 0
    names: dict[str, int] = {}
    label = np.full(len(parts), -1, np.int32)
    subset = np.full(len(parts), NONE, np.int8)
    for row, part in enumerate(parts):
        if len(part) > depth:
            label[row] = names.setdefault(part[depth], len(names))
            subset[row] = subsets.get(part[0], NONE)
    return FolderMeaning(list(names), label, subset)


def _wrapped(parts: list[list[str]]) -> bool:
    """Whether one folder, which is no subset, holds all the others."""
    tops = {part[0] if part else "" for part in parts}
    if len(tops) != 1 or "" in tops or max(map(len, parts)) == 1:
        return False
    return next(iter(tops)).lower() not in SUBSET_NAMES


def _subset_folders(source: Path, parts: list[list[str]]) -> dict[str, int]:
    """Folder name to subset, where the folders of the root that hold images are subsets; empty for classes.

    Two folders that are named as subsets and have class folders in them are a split, and no classes.
    """
    meaning = {part[0]: SUBSET_NAMES.get(part[0].lower()) for part in parts if part}
    deep = {part[0] for part in parts if len(part) > 1}
    named = sorted(name for name, what in meaning.items() if what is not None and name in deep)
    others = sorted((name for name, what in meaning.items() if what is None), key=natural_key)
    if "train" in meaning.values() and not others:
        return {name: SUBSETS.index(what) for name, what in meaning.items() if what is not None}
    if len(named) > 1:
        refuse_half_a_split(source, named, others)
    return {}
