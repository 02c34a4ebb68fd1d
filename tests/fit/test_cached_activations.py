"""Does each image show its stored views in turn?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.fit.order import Order
from linne.fit.sources import CachedActivations


def shown(source: CachedActivations, epoch: int) -> dict[int, int]:
    """Which view of each image; activations are ``10 * image + view``."""
    found = {}
    for values, labels in source.epoch(epoch):
        for value, label in zip(values.flatten().tolist(), labels.tolist(), strict=True):
            assert value // 10 == label
            assert label not in found
            found[label] = int(value % 10)
    return found


def source_of(images: int, views: int, batch: int, seed: int = 0) -> CachedActivations:
    stored = [(10 * np.arange(images) + view).astype(np.float16).reshape(-1, 1, 1, 1) for view in range(views)]
    return CachedActivations(stored, np.arange(images), Order.of(images, batch, seed))


@given(images=st.integers(1, 60), views=st.integers(1, 6), seed=st.integers(0, 3), start=st.integers(0, 9))
def test_each_image_shows_each_view_once_in_as_many_epochs(images: int, views: int, seed: int, start: int) -> None:
    source = source_of(images, views, images, seed)
    epochs = [shown(source, epoch) for epoch in range(start, start + views)]
    for image in range(images):
        assert sorted(epoch[image] for epoch in epochs) == list(range(views))


def test_an_epoch_shows_all_views_and_depends_on_seed_and_epoch_alone() -> None:
    one, other = shown(source_of(200, 4, 8), 3), shown(source_of(200, 4, 8), 3)
    assert one == other
    assert np.bincount(list(one.values()), minlength=4).min() > 25  # 50 of each are expected
    assert one != shown(source_of(200, 4, 8, seed=1), 3)


def test_which_view_is_first_has_nothing_to_do_with_the_order_of_any_epoch() -> None:
    """By the numbers that shuffle epoch 4 an image's first of four views would be known from its place there."""
    same = np.random.default_rng((0, 4)).integers(4, size=200)
    found = shown(source_of(200, 4, 8), 0)
    assert np.mean([found[image] == view for image, view in enumerate(same.tolist())]) < 0.5


@pytest.mark.parametrize("first", [0, 1, 4])
def test_an_epoch_goes_on_from_a_batch(first: int) -> None:
    whole, rest = (list(source_of(20, 3, 4).epoch(2, start)) for start in (0, first))
    assert len(rest) == 5 - first
    for (values, labels), (same, their) in zip(whole[first:], rest, strict=True):
        assert values.equal(same)
        assert labels.equal(their)


@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=4), batch=st.integers(1, 16), epoch=st.integers(0, 4))
def test_turns_count_how_often_an_image_was_shown_before(counts: list[int], batch: int, epoch: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    for order in (Order.of(len(labels), batch, 1, labels), Order.of(len(labels), batch, 1)):
        seen: dict[int, int] = {}
        found = order.batches_and_turns(epoch)
        assert len(found) == len(order.batches(epoch))
        for (places, turns), plain in zip(found, order.batches(epoch), strict=True):
            assert np.array_equal(places, plain)
            for place, turn in zip(places.tolist(), turns.tolist(), strict=True):
                assert turn == seen.get(place, 0)
                seen[place] = turn + 1
