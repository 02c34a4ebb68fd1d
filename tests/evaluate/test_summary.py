"""Every number with its interval: checked against intervals that theory gives, and written and read back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from linne.evaluate.summary import HARDEST, summarise
from linne.records.evaluation import Evaluation, Measure

FEW = {"accuracy", "macro_precision", "macro_recall", "macro_f1", "log_loss", "ece", "ece_uncalibrated"}


def answers(images: int, classes: int, seed: int, spread: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are calibrated: the labels are drawn by them."""
    rng = np.random.default_rng(seed)
    probabilities = np.exp(spread * rng.normal(size=(images, classes)))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities, np.array([rng.choice(classes, p=row) for row in probabilities])


def scored(probabilities: np.ndarray, labels: np.ndarray, **more: Any) -> Evaluation:
    names = tuple(f"class{number}" for number in range(probabilities.shape[1]))
    options = {"subset": "test", "bundle": "b", "split": "s", "seed": 0, "uncalibrated": probabilities}
    options |= {"groups": np.arange(len(labels)), **more}
    return summarise(
        probabilities=probabilities,
        labels=labels,
        paths=[f"{i}.png" for i in range(len(labels))],
        names=names,
        **options,
    )


@pytest.mark.parametrize(("images", "share"), [(100, 0.5), (372, 0.9), (1000, 0.7)])
def test_the_interval_of_accuracy_is_the_binomial_one(images: int, share: float) -> None:
    right = round(images * share)
    probabilities = np.tile([0.8, 0.2], (images, 1))
    labels = np.repeat([0, 1], [right, images - right])
    accuracy = scored(probabilities, labels).measures["accuracy"]
    assert accuracy.value == right / images
    low, high = (binom.ppf(q, images, share) / images for q in (0.025, 0.975))
    assert accuracy.low == pytest.approx(low, abs=1.5 / images + 0.003)
    assert accuracy.high == pytest.approx(high, abs=1.5 / images + 0.003)


def test_intervals_cover() -> None:
    """Of 95% intervals of accuracy over 60 samples, nearly all hold the true value."""
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(60):
        labels = (rng.random(150) > 0.8).astype(np.int64)  # class 0, the answer, is right with 0.8
        accuracy = scored(np.tile([0.9, 0.1], (150, 1)), labels, seed=seed).measures["accuracy"]
        held += accuracy.low <= 0.8 <= accuracy.high
    assert held >= 52


@given(images=st.integers(1, 40), classes=st.integers(2, 8), seed=st.integers(0, 200))
def test_every_value_lies_in_its_interval(images: int, classes: int, seed: int) -> None:
    probabilities, labels = answers(images, classes, seed)
    evaluation = scored(probabilities, labels)
    assert set(evaluation.measures) == FEW | ({"top5"} if classes > 5 else set())
    for name, measure in evaluation.measures.items():
        assert measure.low - 1e-9 <= measure.value <= measure.high + 1e-9, name
        assert measure.low >= 0
        assert measure.high <= 1 or name == "log_loss"
    for measure in (m for score in evaluation.classes for m in (score.precision, score.recall, score.f1)):
        assert 0 <= measure.low <= measure.value <= measure.high <= 1


@pytest.mark.parametrize("images", [4, 20])
def test_all_right_is_no_certainty(images: int) -> None:
    """Wilson's interval of n of n begins at n / (n + 1.96^2)."""
    labels = np.arange(images) % 2
    evaluation = scored(np.where(np.arange(2) == labels[:, None], 0.9, 0.1), labels)
    accuracy, recall = evaluation.measures["accuracy"], evaluation.classes[0].recall
    assert (accuracy.value, accuracy.high) == (1, 1)
    assert accuracy.low == pytest.approx(images / (images + 1.959964**2))
    assert recall.low == pytest.approx(images / 2 / (images / 2 + 1.959964**2))


def test_images_that_belong_together_are_one_piece_of_evidence() -> None:
    """Ten patients with fifty images each, all of a patient's right or all wrong: ten draws, not five hundred."""
    patient = np.repeat(np.arange(10), 50)
    labels = (patient >= 8).astype(np.int64)
    together = scored(np.tile([0.9, 0.1], (500, 1)), labels, groups=patient).measures["accuracy"]
    apart = scored(np.tile([0.9, 0.1], (500, 1)), labels).measures["accuracy"]
    of_class = scored(np.tile([0.9, 0.1], (500, 1)), labels, groups=patient).classes[0].recall
    assert (of_class.value, of_class.low) == (1, pytest.approx(8 / (8 + 1.959964**2)))  # eight patients
    assert together.value == apart.value == 0.8
    assert together.high - together.low > 0.4
    assert apart.high - apart.low < 0.08


def test_intervals_of_a_class_are_those_of_its_images() -> None:
    right = np.repeat([1, 0], [30, 10])
    labels = np.concatenate([np.zeros(40, int), np.ones(400, int)])
    answer = np.concatenate([np.where(right, 0, 1), np.ones(400, int)])
    recall = scored(np.where(np.arange(2) == answer[:, None], 0.9, 0.1), labels).classes[0].recall
    assert recall.value == 0.75
    low, high = (binom.ppf(q, 40, 0.75) / 40 for q in (0.025, 0.975))
    assert recall.low == pytest.approx(low, abs=0.04)
    assert recall.high == pytest.approx(high, abs=0.04)


@pytest.mark.parametrize("seed", range(5))
def test_a_calibrated_classifier_is_not_said_to_be_off(seed: int) -> None:
    """Noise alone gives an error in each resample, which is none of the classifier's."""
    ece = scored(*answers(400, 10, seed)).measures["ece"]
    assert ece.low <= ece.value <= ece.high
    assert ece.low < 0.04


def test_the_same_seed_gives_the_same_and_images_their_counts() -> None:
    probabilities, labels = answers(80, 3, 0)
    one = scored(probabilities, labels)
    assert one == scored(probabilities, labels)
    assert one != scored(probabilities, labels, seed=1)
    assert one.images == 80
    assert [score.images for score in one.classes] == np.bincount(labels, minlength=3).tolist()
    guessed = probabilities.argmax(axis=1)
    assert {(i, j): images for i, j, images in one.confusion} == Counter(zip(labels, guessed, strict=True))


def test_uncalibrated_probabilities_have_their_own_error() -> None:
    probabilities, labels = answers(2000, 3, 0)
    sharp = probabilities**4 / (probabilities**4).sum(axis=1, keepdims=True)
    measures = scored(probabilities, labels, uncalibrated=sharp).measures
    assert measures["ece_uncalibrated"].low > measures["ece"].high


def test_the_hardest_cases_come_first() -> None:
    probabilities, labels = answers(100, 4, 1)
    hardest = scored(probabilities, labels).hardest
    assert len(hardest) == HARDEST
    of_true = probabilities[np.arange(100), labels]
    assert [case.probability for case in hardest] == np.sort(of_true)[:HARDEST].tolist()
    worst = int(of_true.argmin())
    assert hardest[0].path == f"{worst}.png"
    assert hardest[0].label == f"class{labels[worst]}"
    assert hardest[0].confidence == probabilities[worst].max()


@pytest.mark.parametrize(("images", "classes"), [(1, 2), (1, 10), (2, 2), (50, 2), (200, 7)])
def test_json_round_trip(tmp_path: Path, images: int, classes: int) -> None:
    evaluation = scored(*answers(images, classes, 3), notes=("2 images left out",))
    evaluation.write(tmp_path / "evaluation.json")
    assert Evaluation.read(tmp_path / "evaluation.json") == evaluation


def test_a_class_without_images_here() -> None:
    probabilities, labels = answers(60, 4, 0)
    labels = np.where(labels == 2, 1, labels)
    evaluation = scored(probabilities, labels)
    assert evaluation.classes[2].images == 0
    assert evaluation.classes[2].recall == Measure(0, 0, 1)
    probabilities[:, 2] = 0  # now it is not predicted either, and counts for nothing
    used = [score for score in scored(probabilities, labels).classes if score.label != "class2"]
    measures = scored(probabilities, labels).measures
    assert measures["macro_recall"].value == pytest.approx(np.mean([score.recall.value for score in used]))


def test_an_image_in_a_thousand_classes() -> None:
    probabilities, labels = answers(300, 1000, 0)
    assert len(scored(probabilities, labels).classes) == 1000
