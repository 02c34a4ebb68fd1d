"""Whatever the sets of labels and the groups: nothing leaks, every label trains, and shares are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_records import index

from linne.records.errors import DataError
from linne.records.index import TEST, TRAIN, VALIDATION, Index
from linne.split.assign import TEST_SHARE, VALIDATION_SHARE, make_split, straddling
from linne.split.several_labels import deal_several_labels

SHARES = {VALIDATION: VALIDATION_SHARE, TEST: TEST_SHARE}


def photos(lists: list[list[int]], classes: int) -> Index:
    first = [labels[0] if labels else -1 for labels in lists]
    names = tuple(f"class{number}" for number in range(classes))
    return index([f"{row}.png" for row in range(len(lists))], names, first, labels_of=lists)


def drawn(images: int, frequencies: list[float], seed: int) -> np.ndarray:
    """Labels that are there or not, each for itself."""
    return (np.random.default_rng(seed).random((images, len(frequencies))) < frequencies).astype(np.uint8)


@st.composite
def labelled_groups(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    images, classes = draw(st.integers(1, 60)), draw(st.integers(1, 5))
    frequencies = draw(st.lists(st.floats(0, 1), min_size=classes, max_size=classes))
    group = draw(st.lists(st.integers(0, 40), min_size=images, max_size=images))
    return drawn(images, frequencies, draw(st.integers(0, 100))), np.array(group)


@given(labelled_groups(), st.integers(0, 5))
def test_groups_stay_together_and_every_label_trains(data: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    truth, group = data
    subset = deal_several_labels(truth, group, SHARES, seed)
    assert set(subset.tolist()) <= {TRAIN, VALIDATION, TEST}
    for name in set(group.tolist()):
        assert len(set(subset[group == name].tolist())) == 1
    assert truth[subset == TRAIN].any(axis=0).tolist() == truth.any(axis=0).tolist()
    assert subset.tolist() == deal_several_labels(truth, group, SHARES, seed).tolist()


@given(st.integers(100, 300), st.lists(st.floats(0.02, 0.6), min_size=1, max_size=8), st.integers(0, 20))
def test_each_label_is_spread_as_asked(images: int, frequencies: list[float], seed: int) -> None:
    truth = drawn(images, frequencies, seed)
    subset = deal_several_labels(truth, np.arange(images), SHARES, seed)
    for label in range(len(frequencies)):
        total = int(truth[:, label].sum())
        for which, share in SHARES.items():
            found = int(truth[subset == which, label].sum())
            assert abs(found - share * total) <= 3 + 0.05 * total
            assert found or total < 3 or len(frequencies) > 1
    for which, share in SHARES.items():
        assert abs((subset == which).sum() - share * images) <= 3 + len(frequencies)


def test_rare_labels_are_spread_better_than_by_chance() -> None:
    truth = drawn(2000, [0.01] * 10 + [0.3] * 5, 0)
    dealt = deal_several_labels(truth, np.arange(2000), SHARES, 0)
    chance = np.random.default_rng(0).choice([TRAIN, VALIDATION, TEST], 2000, p=[0.7, 0.15, 0.15])
    totals = truth.sum(axis=0)

    def error(subset: np.ndarray) -> float:
        shares = [truth[subset == which].sum(axis=0) / totals for which in SHARES]
        return float(np.abs(np.array(shares) - 0.15).mean())

    assert error(dealt) < 0.35 * error(chance)


def test_the_index_is_split_by_its_sets_of_labels() -> None:
    truth = drawn(200, [0.2, 0.4, 0.05], 1)
    lists = [np.flatnonzero(row).tolist() for row in truth]
    group = np.arange(200) // 2
    split = make_split(photos(lists, 3), group, np.ones(200, bool), 0)
    assert len(straddling(split)) == 0
    for which, share in SHARES.items():
        assert abs((split.subset == which).mean() - share) < 0.03
        assert truth[split.subset == which].any(axis=0).all()
        assert (truth[split.subset == which].sum(axis=1) == 0).any()  # images without a label are spread, too


def test_a_label_without_a_readable_image_is_refused() -> None:
    lists = [[0], [0, 1], [], [0], [0], []] * 5
    readable = np.array([1 not in labels for labels in lists])
    with pytest.raises(DataError) as caught:
        make_split(photos(lists, 2), np.arange(30), readable, 0)
    assert caught.value.value == "class1"


def test_what_was_looked_at_trains_with_its_groups() -> None:
    truth = drawn(120, [0.3, 0.5, 0.05], 2)
    lists = [np.flatnonzero(row).tolist() for row in truth]
    group, looked_at = np.arange(120) // 2, np.arange(0, 40, 4)
    split = make_split(photos(lists, 3), group, np.ones(120, bool), 0, looked_at)
    assert (split.subset[np.isin(group, group[looked_at])] == TRAIN).all()
    assert len(straddling(split)) == 0
    assert abs((split.subset == VALIDATION).mean() - VALIDATION_SHARE) < 0.05
    assert truth[split.subset == VALIDATION].any(axis=0).all()
