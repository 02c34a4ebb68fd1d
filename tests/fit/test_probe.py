"""Is the probe scikit-learn's logistic regression, with the standardisation folded in?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linne.fit.probe import INVERSE_PENALTIES, MAX_ITERATIONS, fit_probe, score


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, ...]:
    """Raw pixels of scikit-learn's digits: 1200 to train, the rest to validate."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    x, y = data.data[order].astype(np.float32), data.target[order].astype(np.int64)
    return x[:1200], y[:1200], x[1200:], y[1200:]


def reference(digits: tuple[np.ndarray, ...], inverse_penalty: float) -> LogisticRegression:
    x, y, _, _ = digits
    model = make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty, max_iter=MAX_ITERATIONS))
    return model.fit(x.astype(np.float64), y)


def test_as_good_as_scikit_learn(digits: tuple[np.ndarray, ...]) -> None:
    x, y, held, truth = digits
    probe = fit_probe(x, y, held, truth)
    best = max(reference(digits, penalty).score(held, truth) for penalty in INVERSE_PENALTIES)
    assert probe.accuracy >= best - 0.005
    assert probe.accuracy > 0.94


def test_probabilities_are_scikit_learns(digits: tuple[np.ndarray, ...]) -> None:
    x, y, held, truth = digits
    probe = fit_probe(x, y, held, truth)
    expected = reference(digits, probe.inverse_penalty).predict_proba(held)
    found = softmax(held @ probe.weight.T + probe.bias, axis=1)
    assert np.abs(found - expected).max() < 0.05  # both stop within their tolerance
    assert np.abs(found - expected).mean() < 0.002
    assert (found.argmax(1) == expected.argmax(1)).mean() > 0.995


def test_its_numbers_are_those_of_its_logits(digits: tuple[np.ndarray, ...]) -> None:
    x, y, held, truth = digits
    probe = fit_probe(x, y, held, truth)
    logits = held @ probe.weight.T + probe.bias
    accuracy, loss = score(logits, truth)
    assert probe.accuracy == accuracy
    assert probe.log_loss == pytest.approx(loss, abs=1e-4)
    assert probe.weight.dtype == probe.bias.dtype == np.float32
    assert probe.inverse_penalty in INVERSE_PENALTIES


def test_two_classes(digits: tuple[np.ndarray, ...]) -> None:
    x, y, held, truth = digits
    few, some = y < 2, truth < 2
    probe = fit_probe(x[few], y[few], held[some], truth[some])
    assert probe.weight.shape == (2, 64)
    model = reference((x[few], y[few], None, None), probe.inverse_penalty)
    assert probe.accuracy >= model.score(held[some], truth[some]) > 0.98
    logits = held[some] @ probe.weight.T + probe.bias
    odds = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    np.testing.assert_allclose(odds, model.predict_proba(held[some])[:, 1], atol=0.01)


def test_a_feature_that_never_changes_in_training_counts_for_nothing(digits: tuple[np.ndarray, ...]) -> None:
    x, y, held, truth = digits
    constant = np.full((len(x), 1), 3.0, np.float32)
    plain = fit_probe(x, y, held, truth)
    probe = fit_probe(np.hstack([x, constant]), y, np.hstack([held, np.full((len(held), 1), 90, np.float32)]), truth)
    assert probe.accuracy == pytest.approx(plain.accuracy, abs=0.01)


def test_the_same_twice(digits: tuple[np.ndarray, ...]) -> None:
    x, y, held, truth = digits
    one, other = (fit_probe(x, y, held, truth) for _ in range(2))
    np.testing.assert_array_equal(one.weight, other.weight)
    np.testing.assert_array_equal(one.bias, other.bias)


def test_score_is_accuracy_and_log_loss() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(0, 3, (50, 4)), rng.integers(0, 4, 50)
    accuracy, loss = score(logits, labels)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert accuracy == (logits.argmax(1) == labels).mean()
    assert loss == pytest.approx(log_loss(labels, p))


def test_score_of_extreme_logits_is_a_number() -> None:
    accuracy, loss = score(np.array([[1e4, -1e4], [1e4, -1e4]], np.float32), np.array([0, 1]))
    assert (accuracy, loss) == (0.5, 1e4)
