"""The facts of real files, and sharpness against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from images import encode, noise, scene, turned
from PIL import Image
from some_facts import facts_of

from linne.pixels.decode import FORMATS, decode
from linne.pixels.facts import MODES, RECORD, Facts, sharpness
from linne.pixels.header import Header
from linne.pixels.shrunk import Undecoded


def test_every_field_is_stored() -> None:
    assert tuple(vars(facts_of([]))) == RECORD.names
    assert RECORD.itemsize <= 100


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_size_is_that_of_the_upright_picture(kind: str, orientation: int) -> None:
    content = turned(scene(30, 50), orientation, kind)
    found = facts_of([content])
    upright = (30, 50) if orientation == 6 else (50, 30)
    assert (found.width[0], found.height[0]) == upright == decode(content, 3).size
    assert (found.orientation[0], FORMATS[found.format[0]]) == (orientation, kind)
    assert found.bytes[0] == len(content)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "LA", "I;16"])
def test_mode(mode: str) -> None:
    content = encode(Image.new(mode, (5, 5)), "PNG")
    assert MODES[facts_of([content]).mode[0]] == mode


def test_headers() -> None:
    assert Undecoded(encode(scene(9, 9), "JPEG"), 3).header == Header("JPEG", "RGB")
    assert Undecoded(encode(noise(9, 9, 1), "JPEG"), 3).header == Header("JPEG", "L")
    assert Undecoded(turned(scene(9, 9), 5, "JPEG"), 1).header == Header("JPEG", "RGB", 5)
    assert Undecoded(turned(scene(9, 9), 9, "PNG"), 1).header == Header("PNG", "RGB", 1)


def test_statistics_of_luma() -> None:
    values = np.repeat(np.arange(100, dtype=np.uint8), 100).reshape(100, 100)
    found = facts_of([encode(values, "PNG")])
    assert found.brightness[0] == pytest.approx(values.mean())
    assert found.spread[0] == pytest.approx(values.std())
    assert (found.shadow[0], found.highlight[0]) == (4, 94)
    assert found.chroma[0] == 0
    rim = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]]).mean()
    assert found.rim[0] == pytest.approx(rim)


def test_margin() -> None:
    framed = np.full((100, 100), 255, np.uint8)
    framed[20:80, 10:90] = noise(60, 80, 1)
    found = facts_of([encode(each, "PNG") for each in (framed, noise(50, 50, 1), np.zeros((50, 50), np.uint8))])
    np.testing.assert_allclose(found.margin, [1 - 0.6 * 0.8, 0, 1], atol=1e-6)


def test_colour() -> None:
    gray, red = np.full((30, 30, 3), 90, np.uint8), np.zeros((30, 30, 3), np.uint8)
    red[12:18, 12:18, 0] = 200
    assert facts_of([encode(gray, "PNG"), encode(red, "PNG")]).chroma.tolist() == [0, 200]


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 400), st.integers(3, 400), st.integers(0, 5))
def test_sharpness_is_what_it_says(height: int, width: int, seed: int) -> None:
    luma = noise(height, width, 1, seed)
    values = luma.astype(float)
    expected = min(
        (np.diff(values, 2, axis=axis) ** 2).mean() / ((np.diff(values, axis=axis) ** 2).mean() + 1) for axis in (0, 1)
    )
    assert sharpness(luma) == pytest.approx(expected**0.5, rel=1e-4)


def test_sharpness_of_noise_ramps_and_points() -> None:
    assert sharpness(noise(200, 200, 1)) == pytest.approx(3**0.5, rel=0.02)
    assert sharpness(np.tile(np.arange(200, dtype=np.uint8), (200, 1))) == 0
    assert sharpness(np.full((9, 9), 7, np.uint8)) == 0
    assert all(np.isnan(sharpness(np.zeros(size, np.uint8))) for size in [(1, 1), (2, 50), (50, 2)])


def test_facts_are_the_same_each_time_and_tiny_pictures_have_them() -> None:
    files = [encode(noise(height, width, seed=height), "PNG") for height, width in [(1, 1), (1, 300), (2, 2), (97, 50)]]
    one, two = facts_of(files), facts_of(files)
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert len(one) == 4
    assert len(Facts.of(np.zeros(0, RECORD))) == 0
