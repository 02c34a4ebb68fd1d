"""Scores equal scikit-learn's, and calibration a loop written out by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from linne.evaluate.calibration import BINS, calibration_error, fit_temperature, reliability
from linne.evaluate.metrics import class_measures, class_scores, confusions, counted, log_losses, top_k_hits


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def some_answers(images: int, classes: int, seed: int, skill: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and labels that they are about right for."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, images)
    return softmax(rng.normal(size=(images, classes)) + skill * np.eye(classes)[labels]), labels


SIZES = {"images": st.integers(1, 60), "classes": st.integers(2, 12), "seed": st.integers(0, 1000)}


@given(**SIZES)
def test_confusion_and_its_scores(images: int, classes: int, seed: int) -> None:
    probabilities, labels = some_answers(images, classes, seed)
    predicted = probabilities.argmax(axis=1)
    every = np.arange(classes)
    matrix = sklearn_metrics.confusion_matrix(labels, predicted, labels=every)
    cells = {(true, answer): images for true, answer, images in confusions(labels, predicted)}
    assert cells == {(i, j): matrix[i, j] for i, j in np.argwhere(matrix)}
    counts = counted(labels, predicted, classes)
    assert np.array_equal(counts, [np.diagonal(matrix), matrix.sum(axis=0), matrix.sum(axis=1)])
    theirs = sklearn_metrics.precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    for mine, other in zip(class_scores(counts), theirs[:3], strict=True):
        assert np.allclose(mine, other)
    ours = class_measures(counts)
    macro = sklearn_metrics.precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)
    for name, value in zip(("macro_precision", "macro_recall", "macro_f1"), macro, strict=False):
        assert ours[name] == pytest.approx(value)
    assert ours["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(labels, predicted))


def test_a_weight_is_how_often_an_image_counts() -> None:
    rng = np.random.default_rng(0)
    labels, predicted, weights = rng.integers(0, 4, 30), rng.integers(0, 4, 30), rng.integers(0, 3, (7, 30))
    together = class_measures(counted(labels, predicted, 4, weights.astype(np.float64)))
    for i, row in enumerate(weights):
        one = class_measures(counted(labels.repeat(row), predicted.repeat(row), 4))
        assert all(together[name][i] == pytest.approx(value) for name, value in one.items())


def test_no_images_at_all() -> None:
    nothing = np.empty(0, np.int64)
    assert confusions(nothing, nothing) == []
    assert all(value == 0 for value in class_measures(counted(nothing, nothing, 3)).values())


@given(**SIZES)
def test_log_loss(images: int, classes: int, seed: int) -> None:
    probabilities, labels = some_answers(images, classes, seed)
    theirs = sklearn_metrics.log_loss(labels, probabilities, labels=np.arange(classes))
    assert log_losses(probabilities, labels).mean() == pytest.approx(theirs)


def test_a_probability_of_zero_has_a_finite_loss() -> None:
    assert np.isfinite(log_losses(np.array([[0.0, 1.0]]), np.array([0]))).all()


@given(k=st.integers(1, 5), **SIZES)
def test_top_k(images: int, classes: int, seed: int, k: int) -> None:
    probabilities, labels = some_answers(images, max(classes, 3), seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where k is as many as there are classes
        theirs = sklearn_metrics.top_k_accuracy_score(
            labels, probabilities, k=k, labels=np.arange(probabilities.shape[1])
        )
    assert top_k_hits(probabilities, labels, k).mean() == pytest.approx(theirs)


@given(st.integers(1, 3), st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=4, max_size=4))
def test_of_equal_probabilities_the_first_classes_count(k: int, row: list[float]) -> None:
    probabilities = np.array([row] * 4)
    best = np.argsort(-probabilities[0], kind="stable")[:k]
    assert top_k_hits(probabilities, np.arange(4), k).tolist() == [float(label in best) for label in range(4)]


def loop_error(confidence: np.ndarray, right: np.ndarray, weights: np.ndarray, bins: int) -> float:
    """Guo et al., section 2, one bin after the other."""
    error = 0.0
    for number in range(bins):
        inside = (confidence >= number / bins) & (confidence < (number + 1) / bins)
        if number == bins - 1:
            inside |= confidence == 1
        weight = weights[inside].sum()
        if weight:
            mean_confidence = (weights[inside] * confidence[inside]).sum() / weight
            accuracy = (weights[inside] * right[inside]).sum() / weight
            error += weight / weights.sum() * abs(mean_confidence - accuracy)
    return float(error)


@given(images=st.integers(1, 80), seed=st.integers(0, 1000))
def test_calibration_error(images: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence, right = rng.random(images), (rng.random(images) < 0.7).astype(float)
    confidence[: images // 5] = 1
    weights = rng.integers(0, 3, (4, images)).astype(float)
    weights[:, 0] += 1
    got = calibration_error(confidence, right, weights)
    assert np.allclose(got, [loop_error(confidence, right, row, BINS) for row in weights])
    assert calibration_error(confidence, right)[0] == pytest.approx(
        loop_error(confidence, right, np.ones(images), BINS)
    )


@given(**SIZES)
def test_reliability_adds_up_to_the_calibration_error(images: int, classes: int, seed: int) -> None:
    probabilities, labels = some_answers(images, classes, seed)
    bins = reliability(probabilities, labels)
    assert sum(number for *_, number in bins) == images
    right = (probabilities.argmax(axis=1) == labels).astype(float)
    error = sum(abs(confidence - accuracy) * number for confidence, accuracy, number in bins) / images
    assert error == pytest.approx(calibration_error(probabilities.max(axis=1), right)[0])


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 8.0])
@pytest.mark.parametrize("classes", [2, 10])
def test_a_known_temperature_is_recovered(temperature: float, classes: int) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, classes)) * 2
    labels = np.array([rng.choice(classes, p=row) for row in softmax(logits)])
    found = fit_temperature((logits * temperature).astype(np.float32), labels)
    assert found == pytest.approx(temperature, rel=0.05)


def test_a_few_that_are_all_right_do_not_make_it_sure() -> None:
    """Twelve of twelve right: the next one is right with 13/14, and no temperature says more than that."""
    logits = np.where(np.arange(4) == (np.arange(12) % 4)[:, None], 3.0, 0.0).astype(np.float32)
    temperature = fit_temperature(logits, np.arange(12) % 4)
    sure = np.exp(3 / temperature) / (np.exp(3 / temperature) + 3)
    assert sure == pytest.approx(13 / 14, abs=1e-3)


def test_a_temperature_stays_within_bounds() -> None:
    sure = np.array([[100.0, -100.0], [-100.0, 100.0]], np.float32)
    for labels in ([0, 1], [1, 0], [0, 0]):
        assert 0.05 <= fit_temperature(sure, np.array(labels)) <= 20.001
    assert 0.05 <= fit_temperature(sure[:1], np.array([0])) <= 20.001
