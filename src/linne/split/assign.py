"""Deal groups out to train, validation and test so that each class is spread as asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.records.errors import DataError
from linne.records.index import NONE, TEST, TRAIN, VALIDATION, Index
from linne.records.split import Split
from linne.records.truth import task_of, truth_of
from linne.split.several_labels import deal_several_labels

VALIDATION_SHARE = 0.15
TEST_SHARE = 0.15


def make_split(
    index: Index,
    groups: NDArray[np.int64],
    readable: NDArray[np.bool_],
    seed: int,
    trained: NDArray[np.int64] | None = None,
) -> Split:
    """Split an index.

    What the user's folders say is kept. A subset that they lack is dealt out of the images that they leave free
    (out of train, where there is a train folder): 15% each for validation and test, class by class, whole groups
    only. A class with one group trains; with two it trains and tests; with more it is in all three, as far as images
    with several labels allow it.

    Parameters
    ----------
    index : Index
    groups : (n,) int64 array
        Rows of one group never straddle subsets that are dealt out here.
    readable : (n,) bool array
        The rest is left out.
    seed : int
    trained : (m,) int64 array, optional
        Rows that are to be trained on, drawn without a look at them: something was decided by them. Their groups are,
        but for classes of which too little would be left for the other subsets: these have first what was not drawn.

    Raises
    ------
    DataError
        Nothing is left to train or validate on, or a class has no readable image to train on.
    """
    subset = np.where(readable, index.subset, NONE).astype(np.int8)
    dealt = np.zeros(len(index), np.bool_)
    missing = [which for which in (VALIDATION, TEST) if not (index.subset == which).any()]
    if missing:
        # A group with an image that the user placed elsewhere stays where it is.
        pinned = np.unique(groups[readable & np.isin(index.subset, (VALIDATION, TEST))])
        dealt = readable & np.isin(index.subset, (NONE, TRAIN)) & ~np.isin(groups, pinned)
        subset[readable & (index.subset == NONE)] = TRAIN
        shares = {VALIDATION: VALIDATION_SHARE, TEST: TEST_SHARE}
        rows = np.flatnonzero(dealt)
        lacking, known = {which: shares[which] for which in missing}, _of_groups(groups, trained)[rows]
        if task_of(index) == "multi":
            subset[rows] = deal_several_labels(truth_of(index, rows), groups[rows], lacking, seed, known)
        else:
            subset[rows] = _deal(index.label[rows], groups[rows], lacking, seed, known)
    split = Split(subset, groups, index.supplied_split, index.fingerprint)
    _refuse_unusable(index, split)
    if np.isin(groups[dealt], straddling(split)).any():
        raise AssertionError("a group straddles subsets that linne dealt out")
    return split


def _of_groups(groups: NDArray[np.int64], rows: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """Whether each row is of a group of one of these rows."""
    return np.isin(groups, groups[rows]) if rows is not None else np.zeros(len(groups), np.bool_)


def straddling(split: Split) -> NDArray[np.int64]:
    """Groups with rows in more than one subset: leaks."""
    used = split.subset != NONE
    pairs = np.unique(np.stack([split.group[used], split.subset[used].astype(np.int64)]), axis=1)
    group, subsets = np.unique(pairs[0], return_counts=True)
    return np.asarray(group[subsets > 1])


def _deal(
    labels: NDArray[np.int32],
    groups: NDArray[np.int64],
    shares: dict[int, float],
    seed: int,
    trained: NDArray[np.bool_],
) -> NDArray[np.int8]:
    """Subset of each row: whole groups, largest first, to where the class lacks most."""
    rng = np.random.default_rng(seed)
    subset = np.full(len(labels), TRAIN, np.int8)
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    members = np.split(order, starts[1:]) if len(order) else []
    by_class: dict[int, list[NDArray[np.int64]]] = {}
    for rows in members:
        by_class.setdefault(int(np.bincount(labels[rows]).argmax()), []).append(rows)
    for label in sorted(by_class):
        mine = by_class[label]
        shuffled = [mine[i] for i in rng.permutation(len(mine))]
        shuffled.sort(key=len, reverse=True)  # stable: groups of one size stay shuffled
        images = sum(map(len, shuffled))
        untouched = [rows for rows in shuffled if not trained[rows].any()]
        needed, there = sum(max(1.0, share * images) for share in shares.values()), sum(map(len, untouched))
        dealt, sealed = untouched, 0
        if there < needed:  # all of these are for the other subsets
            dealt, sealed = [*untouched, *(rows for rows in shuffled if trained[rows].any())], len(untouched)
        elif len(untouched) < len(shares):
            dealt = shuffled
        for rows, where in zip(dealt, _places(dealt, shares, images, sealed), strict=True):
            subset[rows] = where
    _let_every_class_train(labels, members, subset)
    return subset


def _let_every_class_train(
    labels: NDArray[np.int32], groups: list[NDArray[np.int64]], subset: NDArray[np.int8]
) -> None:
    """Move the smallest group that holds a class to train, where only groups of mixed classes hold it."""
    for label in np.setdiff1d(labels, labels[subset == TRAIN]):
        smallest = min((rows for rows in groups if label in labels[rows]), key=len)
        subset[smallest] = TRAIN


def _places(groups: list[NDArray[np.int64]], shares: dict[int, float], images: int, sealed: int) -> list[int]:
    """Subset of each group of one class, in order of size; the class has so many `images`, some in train already.

    The first `sealed` groups, an order of their own, are to be trained on last of all.
    """
    already = images - sum(map(len, groups))
    if len(groups) <= len(shares):  # too few for all: train first, then test, then validation
        order = [*([] if already else [TRAIN]), *sorted(shares, reverse=True)]
        turns = [*range(sealed, len(groups)), *range(sealed)]
        return [order[turns.index(i)] for i in range(len(groups))]
    need = {which: max(1.0, share * images) for which, share in shares.items()}
    need[TRAIN] = max(0.0 if already else 1.0, images - already - sum(need.values()))
    lacking = set(need) - ({TRAIN} if already else set())
    places = []
    for i, rows in enumerate(groups):
        # The last groups fill what is empty still.
        open_to = set(lacking if len(groups) - i <= len(lacking) else need)
        if i < sealed:
            open_to = (open_to & set(shares)) or open_to
        where = max(sorted(open_to, reverse=i < sealed), key=lambda which: need[which])
        lacking.discard(where)
        need[where] -= len(rows)
        places.append(where)
    return places


def _refuse_unusable(index: Index, split: Split) -> None:
    train = split.rows(TRAIN)
    lost = [index.labels[i] for i in np.flatnonzero(index.counts(train) == 0)]
    if lost:
        raise DataError(
            "classes without a readable image to train on",
            file=index.root,
            value=", ".join(lost),
            remedy="add images, or remove the class folder",
        )
    if len(split.rows(VALIDATION)) == 0:
        raise DataError(
            "too few images to set some aside for validation",
            file=index.root,
            value=f"{len(train)} images",
            remedy="give each class at least 3 images that are no copies of each other",
        )
