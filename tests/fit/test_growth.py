"""Do inputs grow as asked, in sizes that networks can halve?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_networks import small_pixels

from linne.fit.growth import STEP, Growth, scaled, usual_sides
from linne.records.pixel_spec import PixelSpec

TALL = replace(small_pixels(256), width=192, fit="stretch")


def sides(growth: Growth) -> list[int]:
    return [min(spec.height, spec.width) for spec in map(growth.at, range(growth.first, growth.first + growth.epochs))]


@given(
    first_side=st.integers(16, 400), last_side=st.integers(16, 400), first=st.integers(1, 50), epochs=st.integers(1, 40)
)
def test_sides_grow_by_steps_to_the_last(first_side: int, last_side: int, first: int, epochs: int) -> None:
    found = sides(Growth(small_pixels(224), first_side, last_side, first, epochs))
    assert found == sorted(found)
    assert found[-1] == last_side
    assert found[0] == (min(first_side, last_side) if epochs > 1 else last_side)
    assert all(side % STEP == 0 or side in (first_side, last_side) for side in found)
    if epochs >= 6:  # the last third has the last size
        assert set(found[-(epochs // 3) :]) == {last_side}


def test_without_sides_nothing_grows() -> None:
    growth = Growth(TALL, None, None, 1, 5)
    assert [growth.at(epoch) for epoch in range(1, 6)] == [TALL] * 5
    assert growth.cost() == 1


def test_an_epoch_beyond_the_last_has_the_last_size() -> None:
    assert Growth(small_pixels(224), 128, 192, 1, 8).at(9).height == 192


def test_sizes_by_hand() -> None:
    assert sides(Growth(small_pixels(224), 128, 224, 1, 8)) == [128, 160, 160, 192, 192, 224, 224, 224]


@given(spec=st.sampled_from([small_pixels(224), TALL]), first=st.integers(32, 192), epochs=st.integers(1, 12))
def test_cost_is_the_mean_share_of_pixels(spec: PixelSpec, first: int, epochs: int) -> None:
    growth = Growth(spec, first, 192, 3, epochs)
    specs = [growth.at(epoch) for epoch in range(3, 3 + epochs)]
    pixels = sum(each.height * each.width for each in specs) / epochs
    assert growth.cost() == pytest.approx(pixels / (spec.height * spec.width))


@given(side=st.integers(16, 600))
def test_a_scaled_spec_keeps_its_shape(side: int) -> None:
    spec = scaled(TALL, side)
    assert spec.width == side
    assert abs(spec.height - side * 4 / 3) <= 0.5
    assert replace(spec, height=256, width=192, resize=256) == TALL


@given(side=st.integers(16, 1000))
def test_usual_sides(side: int) -> None:
    first, last = usual_sides(small_pixels(side))
    assert STEP <= first <= last
    assert first % STEP == last % STEP == 0
    if side >= 2 * STEP:
        assert last <= side
