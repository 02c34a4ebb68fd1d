"""Are the images by which something was decided trained on, and are there still others to validate and test on?"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from test_make_split import alone, everything, photos

from linne.choose.geometry import rows_to_decide_by
from linne.records.index import TEST, TRAIN, VALIDATION
from linne.split.assign import TEST_SHARE, VALIDATION_SHARE, make_split, straddling


@given(counts=st.lists(st.integers(3, 80), min_size=2, max_size=4), seed=st.integers(0, 5))
def test_what_was_decided_by_is_trained_on(counts: list[int], seed: int) -> None:
    label = np.repeat(np.arange(len(counts)), counts).tolist()
    trained = rows_to_decide_by(np.arange(len(label)), alone(label), np.array(label), seed)
    split = make_split(photos(label), alone(label), everything(label), seed, trained)
    for each, images in enumerate(counts):
        rows = np.flatnonzero(np.array(label) == each)
        assert (split.subset[np.intersect1d(rows, trained)] == TRAIN).all()
        for subset, share in ((VALIDATION, VALIDATION_SHARE), (TEST, TEST_SHARE)):
            assert abs((split.subset[rows] == subset).sum() - share * images) <= 2


@given(members=st.integers(2, 25), groups=st.integers(12, 40), seed=st.integers(0, 5))
def test_groups_of_these_are_trained_on_and_leave_as_much_to_validate_and_test(
    members: int, groups: int, seed: int
) -> None:
    group = np.repeat(np.arange(2 * groups), members)
    label = np.repeat([0, 1], groups * members).tolist()
    trained = rows_to_decide_by(np.arange(len(label)), group, np.array(label), seed)
    split = make_split(photos(label), group, everything(label), seed, trained)
    assert len(straddling(split)) == 0
    of_trained = np.isin(group, group[trained])
    for each in (0, 1):
        mine = np.array(label) == each
        free = len(np.unique(group[mine & ~of_trained]))
        if free >= 2 + (VALIDATION_SHARE + TEST_SHARE) * groups:
            assert (split.subset[mine & of_trained] == TRAIN).all()
        for subset, share in ((VALIDATION, VALIDATION_SHARE), (TEST, TEST_SHARE)):
            found = (split.subset[mine] == subset).sum()
            assert abs(found - share * groups * members) <= 1.5 * members


@given(members=st.integers(10, 30), seed=st.integers(0, 5))
def test_copies_that_only_the_audit_knows_of_leave_enough_too(members: int, seed: int) -> None:
    """Rows are drawn before it, so that nearly every group of many has one that was drawn."""
    group = np.repeat(np.arange(40), members)
    label = np.repeat([0, 1], 20 * members).tolist()
    trained = rows_to_decide_by(np.arange(len(label)), alone(label), np.array(label), seed)
    split = make_split(photos(label), group, everything(label), seed, trained)
    for each in (0, 1):
        found = np.bincount(split.subset[np.array(label) == each], minlength=4)
        assert min(found[VALIDATION], found[TEST]) >= 2 * members


@given(a_class=st.integers(3, 9), seed=st.integers(0, 9))
def test_small_classes_are_in_all_three(a_class: int, seed: int) -> None:
    label = np.repeat(np.arange(5), a_class).tolist()
    trained = rows_to_decide_by(np.arange(len(label)), alone(label), np.array(label), seed)
    split = make_split(photos(label), alone(label), everything(label), seed, trained)
    for each in range(5):
        assert set(split.subset[np.array(label) == each].tolist()) == {TRAIN, VALIDATION, TEST}


@given(members=st.integers(1, 3), drawn=st.integers(25, 39), seed=st.integers(0, 5))
def test_where_copies_leave_too_few_untouched_ones_these_are_tested_on_first(
    members: int, drawn: int, seed: int
) -> None:
    images = 40 * members
    group = np.append(np.repeat(np.arange(40), members), 40)
    touched = np.random.default_rng(seed).permutation(40)[:drawn]
    trained = np.flatnonzero(np.isin(group, touched))
    split = make_split(photos([0] * images + [1]), group, everything(group), seed, trained)
    subset = split.subset[:images]
    counts = np.bincount(subset[~np.isin(group[:images], touched)], minlength=4)
    if counts.sum() < (VALIDATION_SHARE + TEST_SHARE) * images:
        assert counts[TRAIN] == 0
        assert 0 <= counts[TEST] - counts[VALIDATION] <= members
    else:
        assert (subset[trained] == TRAIN).all()
    for which, share in ((VALIDATION, VALIDATION_SHARE), (TEST, TEST_SHARE)):
        assert abs((subset == which).sum() - share * images) <= members


@given(drawn=st.sampled_from([[0], [1], [2], [0, 1], [0, 2], [1, 2]]), seed=st.integers(0, 5))
def test_of_three_images_the_drawn_ones_are_tested_on_last(drawn: list[int], seed: int) -> None:
    split = make_split(photos([0, 0, 0, 1]), np.arange(4), everything([0] * 4), seed, np.array(drawn))
    assert sorted(split.subset[:3].tolist()) == [TRAIN, VALIDATION, TEST]
    assert (split.subset[drawn] != TEST).all()
    if len(drawn) == 1:
        assert split.subset[drawn[0]] == TRAIN
