"""Is the probe of several labels scikit-learn's, one class at a time, and are its scores scikit-learn's too?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss
from sklearn.preprocessing import StandardScaler

from linne.fit.class_weights import positive_weights
from linne.fit.judge import Judge
from linne.fit.losses import BinaryCrossEntropy
from linne.fit.probe import Probe
from linne.fit.scoring import SeveralLabels, mean_average_precision
from linne.fit.several_labels_probe import fit_several_labels_probe

Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def digits() -> Data:
    """Digits, and what is said of each: it is even, above 4, a 7."""
    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    x, y = found.data[order].astype(np.float32), found.target[order]
    truth = np.stack([y % 2 == 0, y > 4, y == 7], axis=1).astype(np.uint8)
    return x[:1200], truth[:1200], x[1200:], truth[1200:]


def probabilities(probe: Probe, x: np.ndarray) -> np.ndarray:
    return expit(x.astype(np.float64) @ probe.weight.T + probe.bias)


def test_each_class_is_scikit_learns(digits: Data) -> None:
    x, y, held, truth = digits
    probe = fit_several_labels_probe(x, y, held, truth)
    scaler = StandardScaler().fit(x)
    for label in range(3):
        model = LogisticRegression(C=probe.inverse_penalty, max_iter=1000).fit(scaler.transform(x), y[:, label])
        expected = model.predict_proba(scaler.transform(held))[:, 1]
        np.testing.assert_allclose(probabilities(probe, held)[:, label], expected, atol=0.02)


def test_its_numbers_are_those_of_its_probabilities(digits: Data) -> None:
    x, y, held, truth = digits
    probe = fit_several_labels_probe(x, y, held, truth)
    found = probabilities(probe, held)
    assert probe.log_loss == pytest.approx(np.mean([log_loss(truth[:, i], found[:, i]) for i in range(3)]), abs=1e-4)
    assert probe.average_precision == pytest.approx(average_precision_score(truth, found), abs=1e-4)
    assert probe.average_precision > 0.9
    assert probe.accuracy == pytest.approx(((found >= 0.5) == truth).all(axis=1).mean(), abs=0.003)
    assert probe.weight.dtype == probe.bias.dtype == np.float32


def test_a_label_that_none_has_and_one_that_all_have_are_constant(digits: Data) -> None:
    x, y, held, truth = digits
    few = np.concatenate([y, np.zeros((len(y), 1), np.uint8), np.ones((len(y), 1), np.uint8)], axis=1)
    asked = np.concatenate([truth, np.zeros((len(truth), 1), np.uint8), np.ones((len(truth), 1), np.uint8)], axis=1)
    probe = fit_several_labels_probe(x, few, held, asked)
    found = probabilities(probe, held)
    np.testing.assert_allclose(found[:, 3], 0.5 / 1201, rtol=1e-3)
    np.testing.assert_allclose(found[:, 4], 1200.5 / 1201, rtol=1e-3)
    plain = probabilities(fit_several_labels_probe(x, y, held, truth), held)
    np.testing.assert_allclose(found[:, :3], plain, atol=0.02)


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 1000), st.booleans())
def test_mean_average_precision_is_scikit_learns(images: int, classes: int, seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    truth = (rng.random((images, classes)) < 0.4).astype(np.uint8)
    values = rng.normal(size=(images, classes))
    values = np.round(values) if ties else values
    present = truth.any(axis=0)
    expected = [average_precision_score(truth[:, i], values[:, i]) for i in np.flatnonzero(present)]
    found = mean_average_precision(values, truth)
    assert found == pytest.approx(np.mean(expected) if expected else 0.0)


def test_epochs_are_ranked_by_average_precision_and_scored_anew_on_what_is_left(tmp_path: Path) -> None:
    truth = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.uint8)
    ordered = np.array([[-1, -9], [-2, -8], [-3, -1], [-4, -2]], np.float32)  # no label is said, in the right order
    bold = np.array([[3, -3], [-3, -3], [-3, 3], [3, 3]], np.float32)  # half are right, in a worse order
    judge = Judge(truth, tmp_path / "history.jsonl", lambda: None, lambda: 0.0)
    everyone = np.arange(4)
    for number, logits in enumerate((ordered, bold)):
        answer = (logits, everyone)
        judge.epoch((0, number), None, None, lambda _, answer=answer: answer, torch.clone, dict)
    assert judge.best is not None
    assert judge.best.epoch.epoch == 0
    assert judge.best.epoch.average_precision == 1.0
    assert judge.best.epoch.accuracy == 0.0
    assert judge.done[1].accuracy == 0.5
    tensors, facts = judge.state()
    again = Judge(truth, tmp_path / "again.jsonl", lambda: None, lambda: 0.0)
    again.load(tensors, facts)
    left = np.array([0, 2])
    assert again.best is not None
    some = again.best.on(left, SeveralLabels(truth))
    expected = np.mean(np.logaddexp(0, ordered[left]) - truth[left] * ordered[left])
    assert some.epoch.log_loss == pytest.approx(expected)
    assert (tmp_path / "again.jsonl").read_text() == (tmp_path / "history.jsonl").read_text()


def test_no_label_is_weighed_by_nothing_or_by_thousands() -> None:
    weights = positive_weights(torch.tensor([10_000, 1, 5_000]), 10_000)
    torch.testing.assert_close(weights, torch.tensor([0.01, 100.0, 1.0]))


def test_the_loss_is_torchs_and_weighs_rare_labels() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(6, 3, generator=generator), torch.randint(0, 2, (6, 3), generator=generator)
    weights = positive_weights(torch.tensor([50, 10, 0]), 100)
    torch.testing.assert_close(weights, torch.tensor([1.0, 9.0, 99.0]))
    expected = torch.nn.BCEWithLogitsLoss(reduction="none", pos_weight=weights)(logits, targets.float()).mean(1)
    found = BinaryCrossEntropy(positive_weights=weights).on(torch.device("cpu"))(logits, targets.to(torch.uint8))
    torch.testing.assert_close(found, expected)
