"""The closed form gives what fitting anew without an image, or without its group, gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from planted_digits import ALONE, FEATURES, ROWS, TRUTH

from linne.audit import kernel
from linne.audit import out_of_fold as module
from linne.audit.kernel import fit_kernel
from linne.audit.out_of_fold import KEPT, PENALTIES, TEMPERATURES, OutOfFold, out_of_fold, softmax


def by_refitting(labels: np.ndarray, groups: np.ndarray, penalty: float, rows: np.ndarray) -> np.ndarray:
    """Scores of some rows, each from a fit without its group."""
    mapped = fit_kernel(FEATURES[: len(labels)], np.random.default_rng(0)).map(FEATURES[: len(labels)])
    mapped = mapped.astype(np.float64)
    prior = np.bincount(labels, minlength=10) / len(labels)
    targets = np.eye(10)[labels] - prior
    scores = []
    for row in rows:
        rest = groups != groups[row]
        gram = mapped[rest].T @ mapped[rest] + penalty * np.eye(mapped.shape[1])
        scores.append(mapped[row] @ np.linalg.solve(gram, mapped[rest].T @ targets[rest]) + prior)
    return np.array(scores)


@pytest.mark.parametrize("members", [1, 3, 100, 290])
def test_each_image_is_predicted_without_its_group(members: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of one, of some, and of more than the kernel has dimensions (then all is fitted anew)."""
    monkeypatch.setattr(module, "BLOCK", 64)
    monkeypatch.setattr(kernel, "LANDMARKS", 80)
    labels = TRUTH[:300]
    groups = np.random.default_rng(1).permutation(np.arange(300) // members)
    found = out_of_fold(FEATURES[:300], labels, groups, 10, 0)
    rows = np.arange(0, 300, 17)
    wanted = [
        softmax(by_refitting(labels, groups, penalty, rows) / temperature)
        for penalty in PENALTIES
        for temperature in TEMPERATURES
    ]
    given = [p[np.arange(len(rows)), labels[rows]] for p in wanted]
    best = int(np.argmin([np.abs(found.given[rows] - p).max() for p in given]))
    assert np.abs(found.given[rows] - given[best]).max() < 2e-3
    dense = np.empty((len(rows), 10))
    np.put_along_axis(dense, found.top[rows], found.probability[rows], axis=1)
    assert np.abs(dense - wanted[best]).max() < 2e-3


def test_probabilities_are_good_and_the_same_each_time() -> None:
    one, two = (out_of_fold(FEATURES, TRUTH, ALONE, 10, 0) for _ in range(2))
    assert (one.top[:, 0] == TRUTH).mean() > 0.98
    assert one.telling
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in ("given", "top", "probability"))


def test_an_exact_copy_with_a_wrong_label_does_not_vouch_for_it() -> None:
    """Were they no group, the nearest picture of each would carry the other's label."""
    some = np.arange(0, ROWS, 6)
    features = np.concatenate([FEATURES, FEATURES[some]])
    wrong = (TRUTH[some] + 1) % 10
    labels = np.concatenate([TRUTH, wrong])
    groups = np.concatenate([ALONE, some])
    together = out_of_fold(features, labels, groups, 10, 0).top[:, 0]
    assert (together[ROWS:] == wrong).mean() < 0.05
    assert (together[ROWS:] == TRUTH[some]).mean() > 0.9
    assert (together[some] == together[ROWS:]).all()


def test_more_classes_than_are_remembered() -> None:
    labels = np.arange(600, dtype=np.int32) % 40
    features = np.eye(40, dtype=np.float32)[labels] + np.random.default_rng(0).normal(0, 0.05, (600, 40))
    found = out_of_fold(features.astype(np.float32), labels, np.arange(600), 40, 0)
    assert found.top.shape == found.probability.shape == (600, KEPT)
    assert (np.diff(found.probability, axis=1) <= 0).all()
    assert (found.top[:, 0] == labels).all()
    assert np.allclose(found.given, found.probability[:, 0])


@pytest.mark.parametrize("groups", [np.arange(60), np.zeros(60, np.int64)])
@pytest.mark.parametrize("features", [np.zeros((60, 4), np.float32), FEATURES[:60]])
def test_images_that_tell_nothing(features: np.ndarray, groups: np.ndarray) -> None:
    """All the same, of labels by chance, or all in one group."""
    labels = np.random.default_rng(0).integers(0, 4, 60).astype(np.int32)
    found = out_of_fold(features, labels, groups, 4, 0)
    check(found, 60, 4)
    assert not found.telling


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 40), st.integers(1, 5), st.integers(1, 12))
def test_whatever_comes(data: st.DataObject, rows: int, wide: int, classes: int) -> None:
    features = data.draw(arrays(np.float32, (rows, wide), elements=st.floats(-1e4, 1e4, width=32)))
    labels = data.draw(arrays(np.int32, rows, elements=st.integers(0, classes - 1)))
    groups = data.draw(arrays(np.int64, rows, elements=st.integers(-3, rows)))
    check(out_of_fold(features, labels, groups, classes, 0), rows, classes)


def test_no_images() -> None:
    check(out_of_fold(FEATURES[:0], TRUTH[:0], ALONE[:0], 10, 0), 0, 10)


def check(found: OutOfFold, rows: int, classes: int) -> None:
    kept = min(KEPT, classes)
    assert found.given.shape == (rows,)
    assert found.top.shape == found.probability.shape == (rows, kept)
    assert np.isfinite(found.probability).all()
    assert ((found.given >= 0) & (found.given <= 1 + 1e-6)).all()
    assert ((found.top >= 0) & (found.top < classes)).all()
    if classes <= KEPT:
        assert np.allclose(found.probability.sum(axis=1), 1, atol=1e-5)
