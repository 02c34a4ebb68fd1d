"""Does an epoch show the images that it should?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.fit.sampling import balanced, quotas, shuffled

counts_of_classes = st.lists(st.integers(1, 60), min_size=1, max_size=6).map(np.array)
powers = st.sampled_from([0.0, 0.25, 0.5, 1.0])


def labels_of(counts: np.ndarray, seed: int = 0) -> np.ndarray:
    """In no order."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


@given(images=st.integers(1, 200), batch=st.integers(1, 50), seed=st.integers(0, 9), epoch=st.integers(0, 9))
def test_a_plain_epoch_shows_no_image_twice(images: int, batch: int, seed: int, epoch: int) -> None:
    batches = shuffled(images, min(batch, images), seed, epoch)
    shown = np.concatenate(batches)
    assert len(set(shown.tolist())) == len(shown)
    assert set(shown.tolist()) <= set(range(images))
    assert {len(each) for each in batches} == {min(batch, images)}
    assert images - len(shown) < batch
    expected = np.random.default_rng((seed, epoch)).permutation(images)[: len(shown)]
    assert np.array_equal(shown, expected)


@given(counts=counts_of_classes, power=powers)
def test_classes_are_drawn_by_the_power_of_their_size(counts: np.ndarray, power: float) -> None:
    found = quotas(counts, power)
    expected = counts**power / (counts**power).sum() * counts.sum()
    assert found.sum() == counts.sum()
    assert found.min() >= 1
    assert np.abs(found - expected).max() < 1 + 1e-6
    if power == 1.0:
        assert np.array_equal(found, counts)
    if power == 0.0:
        assert np.ptp(found) <= 1


@given(counts=counts_of_classes, power=powers, seed=st.integers(0, 3))
def test_a_class_shows_all_its_images_before_any_again(counts: np.ndarray, power: float, seed: int) -> None:
    labels = labels_of(counts)
    shown = np.zeros(len(labels), np.int64)
    for epoch in range(7):
        (order,) = balanced(labels, len(labels), seed, epoch, power)
        assert np.array_equal(np.bincount(labels[order], minlength=len(counts)), quotas(counts, power))
        np.add.at(shown, order, 1)
        for label in range(len(counts)):
            assert np.ptp(shown[labels == label]) <= 1


@given(counts=counts_of_classes, batch=st.integers(1, 50), epoch=st.integers(0, 5))
def test_a_balanced_epoch_is_as_long_as_a_plain_one_and_always_the_same(
    counts: np.ndarray, batch: int, epoch: int
) -> None:
    labels = labels_of(counts)
    batch = min(batch, len(labels))
    found = balanced(labels, batch, 3, epoch)
    assert [len(each) for each in found] == [len(each) for each in shuffled(len(labels), batch, 3, epoch)]
    for one, other in zip(found, balanced(labels, batch, 3, epoch), strict=True):
        assert np.array_equal(one, other)


def test_order_depends_on_seed_and_epoch_and_mixes_classes() -> None:
    labels = labels_of(np.array([300, 30, 3]))
    orders = [balanced(labels, 333, seed, epoch, 0.0)[0].tolist() for seed in range(2) for epoch in range(3)]
    assert len(set(map(tuple, orders))) == 6
    for order in orders:
        halves = [np.bincount(labels[half], minlength=3) for half in np.array_split(order, 2)]
        assert np.abs(halves[0] - halves[1]).max() < 40  # 111 of each class, half of them expected in each half


def test_labels_need_not_be_consecutive() -> None:
    found = balanced(np.array([7, 7, 7, 2]), 4, 0, 1, 0.0)[0]
    assert np.bincount(np.array([7, 7, 7, 2])[found])[[2, 7]].tolist() == pytest.approx([2, 2])
