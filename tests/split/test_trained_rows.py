"""Are the images by which something was decided trained on, and are there still others to validate and test on?"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from test_make_split import alone, everything, photos

from linne.choose.geometry import rows_to_decide_by
from linne.records.index import TEST, TRAIN, VALIDATION
from linne.split.assign import TEST_SHARE, VALIDATION_SHARE, make_split, straddling


@given(counts=st.lists(st.integers(10, 80), min_size=2, max_size=4), seed=st.integers(0, 5))
def test_what_was_decided_by_is_trained_on(counts: list[int], seed: int) -> None:
    label = np.repeat(np.arange(len(counts)), counts).tolist()
    trained = rows_to_decide_by(np.arange(len(label)), alone(label), seed)
    split = make_split(photos(label), alone(label), everything(label), seed, trained)
    for each, images in enumerate(counts):
        rows = np.flatnonzero(np.array(label) == each)
        free = np.setdiff1d(rows, trained)
        if len(free) >= 2 + (VALIDATION_SHARE + TEST_SHARE) * images:
            assert (split.subset[np.intersect1d(rows, trained)] == TRAIN).all()
        for subset, share in ((VALIDATION, VALIDATION_SHARE), (TEST, TEST_SHARE)):
            assert abs((split.subset[rows] == subset).sum() - share * images) <= 2


@given(members=st.integers(2, 25), groups=st.integers(12, 40), seed=st.integers(0, 5))
def test_groups_of_these_are_trained_on_and_leave_as_much_to_validate_and_test(
    members: int, groups: int, seed: int
) -> None:
    group = np.repeat(np.arange(2 * groups), members)
    label = np.repeat([0, 1], groups * members).tolist()
    trained = rows_to_decide_by(np.arange(len(label)), group, seed)
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
    trained = rows_to_decide_by(np.arange(len(label)), alone(label), seed)
    split = make_split(photos(label), group, everything(label), seed, trained)
    for each in (0, 1):
        found = np.bincount(split.subset[np.array(label) == each], minlength=4)
        assert min(found[VALIDATION], found[TEST]) >= 2 * members


@given(a_class=st.integers(3, 9), seed=st.integers(0, 9))
def test_small_classes_are_in_all_three(a_class: int, seed: int) -> None:
    label = np.repeat(np.arange(5), a_class).tolist()
    trained = rows_to_decide_by(np.arange(len(label)), alone(label), seed)
    split = make_split(photos(label), alone(label), everything(label), seed, trained)
    for each in range(5):
        assert set(split.subset[np.array(label) == each].tolist()) == {TRAIN, VALIDATION, TEST}
