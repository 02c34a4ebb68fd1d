"""Whatever the labels and groups: nothing leaks, every class trains, and the same seed deals the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_records import index

from linne.records.errors import DataError
from linne.records.index import NONE, TEST, TRAIN, VALIDATION, Index
from linne.records.split import Split
from linne.split.assign import TEST_SHARE, VALIDATION_SHARE, make_split, straddling


def photos(label: list[int], subset: list[int] | None = None) -> Index:
    classes = max(label, default=0) + 1
    names = tuple(f"class{number}" for number in range(max(classes, 2)))
    return index([f"{row}.png" for row in range(len(label))], names, label=label, subset=subset)


def alone(label: list[int]) -> np.ndarray:
    return np.arange(len(label))


def everything(label: list[int]) -> np.ndarray:
    return np.ones(len(label), bool)


def counts(split: Split, label: list[int]) -> dict[int, Counter[int]]:
    """Images of each class in each subset."""
    return {each: Counter(split.subset[np.array(label) == each].tolist()) for each in sorted(set(label))}


@st.composite
def labelled_groups(draw: st.DrawFn) -> tuple[list[int], list[int], list[bool]]:
    """Random labels, groups that mix classes, and some unreadable images; every class has a readable one."""
    label, group, readable = [], [], []
    for each in range(draw(st.integers(2, 4))):
        for number in range(draw(st.integers(1, 25))):
            label.append(each)
            group.append(draw(st.integers(0, 30)))
            readable.append(number == 0 or draw(st.integers(0, 9)) > 0)
    return label, group, readable


@given(labelled_groups(), st.integers(0, 5))
def test_no_split_leaks(data: tuple[list[int], list[int], list[bool]], seed: int) -> None:
    label, groups, can_read = data
    group, readable = np.array(groups), np.array(can_read)
    try:
        split = make_split(photos(label), group, readable, seed)
    except DataError:
        # Refused only where three subsets cannot be made.
        pure = {g: set(np.array(label)[(group == g) & readable]) for g in set(group[readable].tolist())}
        assert len(pure) < 3 * len(set(label))
        return
    assert ((split.subset == NONE) == ~readable).all()
    assert len(straddling(split)) == 0
    for name in set(groups):
        assert len(set(split.subset[(group == name) & readable].tolist())) <= 1
    for each in set(label):
        assert ((split.subset == TRAIN) & (np.array(label) == each)).any()
    assert (split.subset == VALIDATION).any()


@given(st.lists(st.integers(3, 120), min_size=2, max_size=4), st.integers(1, 3), st.integers(0, 3))
def test_shares_are_kept_where_groups_are_small(groups: list[int], most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = [rng.integers(1, most + 1, number) for number in groups]
    label = [each for each, of_class in enumerate(sizes) for _ in range(of_class.sum())]
    group = np.repeat(np.arange(sum(groups)), np.concatenate(sizes))
    split = make_split(photos(label), group, everything(label), seed)
    for each, where in counts(split, label).items():
        images = label.count(each)
        assert abs(where[VALIDATION] - VALIDATION_SHARE * images) <= most + 1
        assert abs(where[TEST] - TEST_SHARE * images) <= most + 1
        assert where[TRAIN] >= max(where[VALIDATION], where[TEST]) - most


def test_a_large_group_trains() -> None:
    """It would fill validation or test three times over."""
    label = [0] * 100 + [1] * 100
    group = np.array([0] * 50 + list(range(1, 51)) + list(range(100, 200)))
    for seed in range(5):
        split = make_split(photos(label), group, everything(label), seed)
        assert set(split.subset[group == 0].tolist()) == {TRAIN}
        assert counts(split, label)[0] == Counter({TRAIN: 70, VALIDATION: 15, TEST: 15})


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (1, {TRAIN: 1}),
        (2, {TRAIN: 1, TEST: 1}),
        (3, {TRAIN: 1, VALIDATION: 1, TEST: 1}),
        (20, {TRAIN: 14, VALIDATION: 3, TEST: 3}),
    ],
)
def test_small_classes(images: int, expected: dict[int, int]) -> None:
    label = [0] * 40 + [1] * images
    split = make_split(photos(label), alone(label), everything(label), 0)
    assert counts(split, label)[1] == Counter(expected)


def test_a_seed_deals_the_same_each_time_and_another_otherwise() -> None:
    label = [0] * 60 + [1] * 60
    first, again, other = (make_split(photos(label), alone(label), everything(label), seed) for seed in (0, 0, 1))
    assert np.array_equal(first.subset, again.subset)
    assert first.fingerprint == again.fingerprint
    assert not np.array_equal(first.subset, other.subset)


@given(st.lists(st.integers(0, 80), max_size=10), st.integers(0, 3))
def test_unreadable_images_change_nothing_for_the_others(places: list[int], seed: int) -> None:
    label = [0] * 40 + [1] * 40
    plain = make_split(photos(label), alone(label), everything(label), seed).subset
    mixed, readable = list(label), [True] * 80
    for place in places:
        mixed.insert(place, 0)
        readable.insert(place, False)
    split = make_split(photos(mixed), np.arange(len(mixed)), np.array(readable), seed)
    assert np.array_equal(split.subset[np.array(readable)], plain)


def test_a_supplied_split_is_kept_though_it_leaks() -> None:
    label = [0, 1] * 10
    subset = [TRAIN] * 12 + [VALIDATION] * 4 + [TEST] * 4
    group = alone(label)
    group[19] = 0
    split = make_split(photos(label, subset), group, everything(label), 0)
    assert split.supplied
    assert split.subset.tolist() == subset
    assert straddling(split).tolist() == [0]


def test_validation_is_dealt_out_of_train_and_the_test_set_is_not_touched() -> None:
    label = [0, 1] * 50
    subset = [TRAIN] * 80 + [TEST] * 20
    group = alone(label)
    group[[0, 1, 2]] = group[99]  # copies of a test image: they must not validate either
    split = make_split(photos(label, subset), group, everything(label), 0)
    assert (split.subset == TEST).tolist() == [where == TEST for where in subset]
    assert (split.subset[[0, 1, 2]] == TRAIN).all()
    assert abs((split.subset == VALIDATION).sum() - 0.15 * 77) <= 2
    assert straddling(split).tolist() == [99]  # the user's own leak, and no other


def test_train_alone_gives_validation_and_test() -> None:
    label = [0, 1] * 50
    split = make_split(photos(label, [TRAIN] * 100), alone(label), everything(label), 0)
    assert Counter(split.subset.tolist()) == Counter({TRAIN: 70, VALIDATION: 16, TEST: 14})


def test_what_cannot_be_split() -> None:
    label = [0, 1] * 10
    images = photos(label)
    nothing = np.zeros(20, bool)
    half = np.array([True, False] * 10)
    for group, readable in (
        (alone(label), nothing),
        (alone(label), half),  # class 1 has no readable image
        (np.zeros(20, np.int64), everything(label)),  # all are copies of one
    ):
        with pytest.raises(DataError) as caught:
            make_split(images, group, readable, 0)
        assert caught.value.file == images.root
    with pytest.raises(DataError):  # no train is left
        make_split(
            photos([0, 1, 0, 1], [TRAIN, TRAIN, TEST, TEST]), alone([0] * 4), np.array([False, False, True, True]), 0
        )


def test_a_class_that_lies_only_in_groups_of_other_classes_trains() -> None:
    label = [0] * 60 + [1] * 3
    group = np.array([*range(60), 0, 20, 40])
    for seed in range(20):
        split = make_split(photos(label), group, everything(label), seed)
        assert (split.subset[60:] == TRAIN).any()
        assert len(straddling(split)) == 0
