"""An index that linne wrote, taken as photos: decisions of a review may have left images without a class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from linne.index.labelled import NO_LABEL
from linne.records.errors import DataError
from linne.records.index import Index
from linne.records.set_aside import SetAside


def read_own_index(source: Path) -> Index:
    """Read an index that linne wrote; its images lie where they lay then.

    Raises
    ------
    RunError
        It cannot be read.
    DataError
        The images are gone.
    """
    index = Index.read(source)
    if not index.any_is_there(np.arange(len(index))):
        raise DataError(
            "the images of this index are gone",
            file=source,
            value=index.root,
            remedy=f"put them back there, or run `linne audit` where they are now with --out {source.parent}: its "
            "decisions stay, and --apply uses them",
        )
    return index


def only_labelled(source: Path, index: Index) -> Index:
    """Set images without a class aside, as those are that lie in no class folder; `DataError` without two classes."""
    if index.labels_of is not None:
        return index
    if len(index.labels) < 2:
        raise DataError(
            "fewer than two classes, and a classifier needs two",
            file=source,
            value=", ".join(index.labels) or None,
            remedy="name the images' classes with `linne review`, or put each class in a folder of its own",
        )
    none = index.label < 0
    if not none.any():
        return index
    aside = (SetAside(index.path(int(row)), NO_LABEL) for row in np.flatnonzero(none))
    return replace(index.take(np.flatnonzero(~none)), set_aside=(*index.set_aside, *aside))
