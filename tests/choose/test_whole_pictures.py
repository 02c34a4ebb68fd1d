"""Is the shape of the input that of the pictures, and the classifier that decides one that leaves each image out?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.linear_model import Ridge
from small_networks import normal, small_pixels

from linne.choose.geometry import (
    MOST_PIXELS,
    MOST_ROWS,
    MOST_SHARE,
    OBLONG,
    PENALTIES,
    SMALLEST_CLASS,
    STEP,
    rows_to_decide_by,
    told_apart,
    whole_pictures,
)
from linne.choose.sample import Sample


def sample(*sizes: tuple[int, int]) -> Sample:
    """Of pictures of these heights and widths."""
    pictures = tuple(Image.new("RGB", (width, height)) for height, width in sizes)
    return Sample(pictures, min(map(min, sizes)), True, 0.0, ())


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 300), (256, 192)), ((300, 400), (192, 256)), ((400, 200), (320, 160)), ((900, 100), (672, 64))],
)
def test_the_input_has_the_shape_of_the_pictures(size: tuple[int, int], expected: tuple[int, int]) -> None:
    spec = whole_pictures(small_pixels(224), sample(size))
    assert spec is not None
    assert (spec.height, spec.width, spec.fit) == (*expected, "stretch")
    assert replace(spec, height=224, width=224, fit="crop", resize=224) == small_pixels(224)


@pytest.mark.parametrize("size", [(300, 300), (330, 300), (300, 330)])
def test_of_nearly_square_pictures_the_centre_is_nearly_all(size: tuple[int, int]) -> None:
    assert whole_pictures(small_pixels(224), sample(size)) is None


@pytest.mark.parametrize("size", [(12_000, 100), (100, 12_000), (40_000, 20)])
def test_pictures_so_narrow_would_need_many_more_pixels(size: tuple[int, int]) -> None:
    assert whole_pictures(small_pixels(224), sample(size)) is None


def test_most_pictures_decide() -> None:
    assert whole_pictures(small_pixels(224), sample((400, 300), (300, 300), (300, 300))) is None
    spec = whole_pictures(small_pixels(224), sample((400, 300), (400, 300), (100, 900)))
    assert spec is not None
    assert spec.height > spec.width


@pytest.mark.parametrize("changes", [{"fit": "stretch"}, {"fit": "pad"}, {"height": 192}])
def test_what_is_no_square_crop_stays(changes: dict[str, object]) -> None:
    assert whole_pictures(replace(small_pixels(224), **changes), sample((400, 300))) is None


@given(side=st.integers(16, 600), ratio=st.floats(OBLONG + 0.01, 6), tall=st.booleans())
def test_sides_are_those_that_networks_halve_and_pixels_stay_about_as_many(side: int, ratio: float, tall: bool) -> None:
    longer = round(100 * ratio)
    spec = whole_pictures(small_pixels(side), sample((longer, 100) if tall else (100, longer)))
    if spec is None:
        assert longer / 100 < OBLONG or side < 224 or ratio >= 3
        return
    assert spec.height * spec.width <= MOST_PIXELS * side**2
    assert spec.height % STEP == spec.width % STEP == 0
    assert (spec.height >= spec.width) == tall or spec.height == spec.width
    assert min(spec.height, spec.width) >= STEP
    if side >= 224 and ratio < 3:
        assert 0.75 < spec.height * spec.width / side**2 < 1.34


@given(rows=st.integers(0, 4000), classes=st.integers(1, 40), most=st.integers(1, 50), seed=st.integers(0, 3))
def test_rows_to_decide_by_leave_most_of_each_class_and_take_groups_whole(
    rows: int, classes: int, most: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    candidates, labels = np.arange(rows) * 3, rng.integers(0, classes, rows).astype(np.int32) * 2
    groups = labels * 1000 + rng.integers(0, max(rows // classes // most, 1), rows)  # each of one class
    drawn = rows_to_decide_by(candidates, groups, labels, seed)
    inside = np.isin(candidates, drawn)
    assert np.array_equal(drawn, candidates[inside])  # in order, each once
    assert np.array_equal(drawn, rows_to_decide_by(candidates, groups, labels, seed))
    cut = 0
    for label in np.unique(labels):
        images, taken = (labels == label).sum(), inside[labels == label].sum()
        allowed = int(MOST_SHARE * images) if images >= SMALLEST_CLASS else 0
        assert taken == allowed or (len(drawn) == MOST_ROWS and taken < allowed)
        mine = [inside[groups == group] for group in np.unique(groups[labels == label])]
        cut += sum(group.any() and not group.all() for group in mine)
    assert cut <= len(np.unique(labels))


def test_of_classes_with_few_images_none_decides() -> None:
    labels = np.repeat([0, 1, 2], [4, 5, 30]).astype(np.int32)
    for seed in range(5):
        drawn = rows_to_decide_by(np.arange(39), np.arange(39), labels, seed)
        assert np.bincount(labels[drawn], minlength=3).tolist() == [0, 2, 12]


@pytest.mark.parametrize(("rows", "width", "classes", "seed"), [(24, 40, 3, 0), (40, 6, 4, 1), (12, 12, 2, 2)])
def test_told_apart_is_a_ridge_regression_for_each_image_left_out(
    rows: int, width: int, classes: int, seed: int
) -> None:
    labels = (np.arange(rows) % classes * 7).astype(np.int32)  # not consecutive
    features = normal(rows, width, seed=seed)
    features[np.arange(rows), labels // 7] += 0.8
    scaled = ((features - features.mean(0)) / (features.std(0) + 1e-6)).astype(np.float64)
    mean = np.linalg.eigvalsh(scaled @ scaled.T).mean()
    targets = 2.0 * (labels[:, None] == np.unique(labels)) - 1
    best = 0.0
    for penalty in PENALTIES * mean:
        right = 0
        for row in range(rows):
            others = np.arange(rows) != row
            ridge = Ridge(alpha=penalty, solver="svd").fit(scaled[others], targets[others])
            right += int(ridge.predict(scaled[[row]])[0].argmax() == targets[row].argmax())
        best = max(best, right / rows)
    assert 1 / classes < best < 1
    assert told_apart(features, labels) == pytest.approx(best)


def test_features_that_tell_nothing_and_all() -> None:
    labels = (np.arange(60) % 3).astype(np.int32)
    assert told_apart(np.eye(3, dtype=np.float32)[labels], labels) == 1.0
    assert told_apart(normal(60, 5), labels) < 0.6
    assert told_apart(normal(60, 200), labels) < 0.6  # of more features than images nothing is known either
    assert 0 <= told_apart(np.zeros((60, 5), np.float32), labels) <= 1
