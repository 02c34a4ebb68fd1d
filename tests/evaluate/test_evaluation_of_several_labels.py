"""Are the scores of several labels scikit-learn's, resampled ones too, and are thresholds and temperature the best?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    hamming_loss,
    log_loss,
    precision_score,
    recall_score,
)

from linne.evaluate.calibration import fit_binary_temperature
from linne.evaluate.decisions import Counts, average_precisions, decision_calibration_error, gaps
from linne.evaluate.several_labels import summarise_several_labels
from linne.evaluate.thresholds import SHRINKAGE, choose_thresholds
from linne.records.evaluation import Evaluation


def drawn(images: int, classes: int, seed: int, share: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that say something of labels that are there, and these."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((images, classes)) < share).astype(np.uint8)
    return expit(2.5 * truth - 1.5 + rng.normal(size=truth.shape)), truth


def evaluated(p: np.ndarray, truth: np.ndarray, thresholds: np.ndarray, groups: np.ndarray | None = None) -> Evaluation:
    names = tuple(f"class{i}" for i in range(truth.shape[1]))
    paths = [f"{i}.png" for i in range(len(truth))]
    group = np.arange(len(truth)) if groups is None else groups
    return summarise_several_labels(p, p, thresholds, truth, group, paths, names, "test", "b", "s", 0, ("a note",))


@given(st.integers(2, 60), st.integers(1, 5), st.integers(0, 1000))
def test_every_score_is_scikit_learns(images: int, classes: int, seed: int) -> None:
    p, truth = drawn(images, classes, seed)
    thresholds = np.random.default_rng(seed).uniform(0.2, 0.8, classes)
    said = (p >= thresholds).astype(int)
    found = evaluated(p, truth, thresholds)
    value = {name: measure.value for name, measure in found.measures.items()}
    used, there = (truth + said).any(axis=0), truth.any(axis=0)
    assert value["hamming_loss"] == pytest.approx(hamming_loss(truth, said))
    assert value["subset_accuracy"] == pytest.approx((truth == said).all(axis=1).mean())
    for name, reference in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        each = np.array([reference(truth[:, i], said[:, i], zero_division=0) for i in range(classes)])
        assert value[f"macro_{name}"] == pytest.approx(each[used].mean() if used.any() else 0)
        assert [getattr(score, name).value for score in found.classes] == pytest.approx(each.tolist())
    assert value["micro_f1"] == pytest.approx(f1_score(truth.ravel(), said.ravel(), zero_division=0))
    precise = [average_precision_score(truth[:, i], p[:, i]) for i in np.flatnonzero(there)]
    assert value["mean_average_precision"] == pytest.approx(np.mean(precise) if precise else 0)
    losses = [log_loss(truth[:, i], p[:, i], labels=[0, 1]) for i in range(classes)]
    assert value["log_loss"] == pytest.approx(np.mean(losses))
    assert [score.images for score in found.classes] == truth.sum(axis=0).tolist()
    for measure in (*found.measures.values(), *(score.f1 for score in found.classes)):
        assert measure.low <= measure.value + 1e-9
        assert measure.value <= measure.high + 1e-9


def test_several_classes_at_once_are_scikit_learns_averages() -> None:
    p, truth = drawn(300, 4, 0)
    said = p >= 0.4
    found = evaluated(p, truth, np.full(4, 0.4)).measures
    assert found["macro_f1"].value == pytest.approx(f1_score(truth, said, average="macro"))
    assert found["micro_f1"].value == pytest.approx(f1_score(truth, said, average="micro"))
    assert found["mean_average_precision"].value == pytest.approx(average_precision_score(truth, p, average="macro"))
    assert found["subset_accuracy"].value == pytest.approx(accuracy_score(truth, said))


@given(st.integers(0, 1000), st.booleans())
def test_weights_are_how_often_an_image_counts(seed: int, ties: bool) -> None:
    p, truth = drawn(30, 3, seed)
    p = p.round(1) if ties else p
    weights = np.random.default_rng(seed).integers(0, 3, (1, 30)).astype(np.float64)
    again = np.repeat(np.arange(30), weights[0].astype(int))
    found = average_precisions(p, truth, weights)[0]
    for label in range(3):
        if truth[again, label].any():
            assert found[label] == pytest.approx(average_precision_score(truth[again, label], p[again, label]))
        else:
            assert np.isnan(found[label])
    once = np.ones((1, len(again)))
    counted, repeated = Counts.of(p > 0.5, truth, weights), Counts.of(p[again] > 0.5, truth[again], once)
    np.testing.assert_allclose(counted.f1, repeated.f1)
    np.testing.assert_allclose(
        decision_calibration_error(gaps(p, truth), 3, weights),
        decision_calibration_error(gaps(p[again], truth[again]), 3, once),
    )


def test_honest_probabilities_have_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    p = rng.random((4000, 3))
    truth = (rng.random(p.shape) < p).astype(np.uint8)
    assert evaluated(p, truth, np.full(3, 0.5)).measures["ece"].value < 0.02
    assert evaluated(p**3, truth, np.full(3, 0.5)).measures["ece"].value > 0.1


def test_intervals_are_wider_where_images_come_in_groups() -> None:
    p, truth = drawn(60, 3, 1)
    p, truth = np.repeat(p, 5, axis=0), np.repeat(truth, 5, axis=0)
    alone = evaluated(p, truth, np.full(3, 0.5)).measures["mean_average_precision"]
    grouped = evaluated(p, truth, np.full(3, 0.5), np.arange(300) // 5).measures["mean_average_precision"]
    assert grouped.value == alone.value
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_the_hardest_cases_tell_what_was_missed_and_what_is_wrong() -> None:
    truth = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0]], np.uint8)
    p = np.array([[0.9, 0.1, 0.1], [0.2, 0.9, 0.7], [0.1, 0.1, 0.1]])
    first = evaluated(p, truth, np.full(3, 0.5)).hardest[0]
    assert (first.path, first.label, first.predicted) == ("1.png", "class0, class1", "class1, class2")
    assert (first.missed, first.wrong) == (("class0",), ("class2",))
    assert first.probability == pytest.approx(0.2 * 0.9 * 0.3)
    assert first.confidence == pytest.approx(0.8 * 0.9 * 0.7)


def test_an_evaluation_is_read_as_it_was_written(tmp_path) -> None:
    found = evaluated(*drawn(40, 3, 2), np.full(3, 0.5))
    found.write(tmp_path / "evaluation.json")
    assert Evaluation.read(tmp_path / "evaluation.json") == found
    assert found.task == "multi"


def test_thresholds_maximise_f1_where_many_images_have_the_label() -> None:
    p, truth = drawn(3000, 2, 0)
    thresholds = choose_thresholds(p, truth)
    for label in range(2):
        grid = [f1_score(truth[:, label], p[:, label] >= t) for t in np.linspace(0.02, 0.98, 97)]
        assert f1_score(truth[:, label], p[:, label] >= thresholds[label]) > max(grid) - 0.003


def test_thresholds_of_rare_labels_are_drawn_to_that_of_all() -> None:
    p, truth = drawn(2000, 3, 0)
    rare = np.zeros((2000, 2), np.uint8)
    rare[0, 0] = 1
    low = np.full((2000, 2), 0.01)
    low[0, 0] = 0.03  # one image says 0.02
    thresholds = choose_thresholds(np.hstack([p, low]), np.hstack([truth, rare]))
    plain = choose_thresholds(p, truth)
    assert plain.min() < 0.5
    assert thresholds[3] > 0.5 * thresholds[4]  # the label that none has takes that of all
    assert abs(thresholds[4] - plain.mean()) < 0.1
    assert SHRINKAGE > 1


def test_the_temperature_is_that_of_the_least_loss() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 3))
    truth = (rng.random(logits.shape) < expit(logits)).astype(np.uint8)
    assert fit_binary_temperature((3 * logits).astype(np.float32), truth) == pytest.approx(3, rel=0.05)
    assert fit_binary_temperature((0.5 * logits).astype(np.float32), truth) == pytest.approx(0.5, rel=0.05)
    found = fit_binary_temperature((3 * logits).astype(np.float32), truth)
    p = expit(3 * logits / found)
    assert brier_score_loss(truth.ravel(), p.ravel()) < brier_score_loss(truth.ravel(), expit(3 * logits).ravel())
