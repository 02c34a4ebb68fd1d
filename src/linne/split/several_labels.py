"""Deal groups of images with several labels out so that each label is spread as asked.

Sechidis, Tsoumakas, Vlahavas: "On the Stratification of Multi-Label Data", ECML PKDD 2011, section 3: the label with
the fewest images left is dealt out first, since later ones leave it less choice; here whole groups are dealt, the
largest first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.records.index import TRAIN

Counts = NDArray[np.int64]


def deal_several_labels(
    truth: NDArray[np.uint8],
    groups: NDArray[np.int64],
    shares: dict[int, float],
    seed: int,
    trained: NDArray[np.bool_] | None = None,
) -> NDArray[np.int8]:
    """Give the subset of each row.

    Parameters
    ----------
    truth : (n, classes) uint8 array
        1 where a row has a label.
    groups : (n,) int64 array
        Rows of one group come into one subset.
    shares : dict of int to float
        Of all rows, for each subset but train.
    seed : int
    trained : (n,) bool array, optional
        Rows that are trained on in any case, with their groups.

    Returns
    -------
    (n,) int8 array
        A label that one group has is in train, one that two have is as a rule in test, too, one of more in all three.
    """
    if not len(truth):
        return np.empty(0, np.int8)
    _, group = np.unique(groups, return_inverse=True)
    # That an image has no label is dealt out like one more label.
    marked = np.concatenate([truth, (truth.sum(axis=1, keepdims=True) == 0).astype(np.uint8)], axis=1)
    held = np.zeros((int(group.max()) + 1, marked.shape[1]), np.int64)
    np.add.at(held, group, marked)
    subsets = [TRAIN, *sorted(shares)]
    place = np.full(len(held), -1, np.int64)
    if trained is not None:
        place[group[trained]] = 0
    _deal_out(place, held, np.bincount(group), subsets, shares, seed)
    _let_every_label_train(held[:, :-1], place)
    return np.array(subsets, np.int8)[place][group]


def _deal_out(
    place: Counts, held: Counts, size: Counts, subsets: list[int], shares: dict[int, float], seed: int
) -> None:
    """Say of each group that has no place yet (-1) which of `subsets` it comes into.

    `held` are a group's images with each label, `size` all of its images.
    """
    wanted, waiting = _needs(held, subsets, shares)
    room = np.array([1 - sum(shares.values()), *(shares[which] for which in subsets[1:])]) * size.sum()
    shuffled = np.random.default_rng(seed).permutation(len(held))
    left = (held > 0).sum(axis=0)  # groups with each label that have no place yet

    def put(group: int, where: int) -> None:
        place[group] = where
        wanted[where] -= held[group]
        room[where] -= size[group]
        waiting[where] &= held[group] == 0
        left[held[group] > 0] -= 1

    for group in np.flatnonzero(place >= 0).tolist():
        put(group, int(place[group]))
    while (left > 0).any():
        label = int(np.where(left > 0, left, left.max() + 1).argmin())
        mine = shuffled[(place[shuffled] < 0) & (held[shuffled, label] > 0)]
        for group in mine[np.argsort(-held[mine, label], kind="stable")].tolist():
            # The last groups fill what is empty still.
            open_to = waiting[:, label] if left[label] <= waiting[:, label].sum() else np.full(len(subsets), True)
            order = np.lexsort((room, wanted[:, label]))[::-1]
            put(group, next(int(i) for i in order if open_to[i]))


def _needs(held: Counts, subsets: list[int], shares: dict[int, float]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Images of each label that each subset is to have, and whether it must have one: ``(subsets, labels)`` each."""
    images, groups = held.sum(axis=0), (held > 0).sum(axis=0)
    wanted = np.zeros((len(subsets), held.shape[1]))
    for i, which in enumerate(subsets[1:], 1):
        wanted[i] = np.maximum(1.0, shares[which] * images)
    wanted[0] = np.maximum(1.0, images - wanted[1:].sum(axis=0))
    waiting = np.zeros(wanted.shape, np.bool_)
    for rank, which in enumerate([TRAIN, *sorted(shares, reverse=True)]):  # too few for all: train, test, validation
        i = subsets.index(which)
        waiting[i] = groups > rank
        wanted[i, ~waiting[i]] = 0.0
    return wanted, waiting


def _let_every_label_train(held: Counts, place: Counts) -> None:
    """Move the smallest group that holds a label to train, where other labels have taken all of them elsewhere."""
    for label in np.flatnonzero(held.sum(axis=0)):
        having = np.flatnonzero(held[:, label])
        if not (place[having] == 0).any():
            place[having[held[having].sum(axis=1).argmin()]] = 0
