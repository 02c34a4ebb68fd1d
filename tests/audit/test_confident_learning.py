"""The same decisions as cleanlab's, but for how it rounds."""

from __future__ import annotations

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint
from cleanlab.filter import find_label_issues
from planted_digits import TRUTH, flipped, judged

from linne.audit.confident_learning import UNSURE, confident_classes, prune_by_class
from linne.audit.out_of_fold import OutOfFold


def by_chance(rows: int, classes: int, seed: int) -> tuple[OutOfFold, np.ndarray, np.ndarray]:
    """Probabilities, labels, and the same as a matrix."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(rows) % classes).astype(np.int32)
    true = np.where(rng.random(rows) < 0.8, labels, rng.integers(0, classes, rows))
    matrix = rng.gamma(0.5, size=(rows, classes)).astype(np.float32)
    matrix[np.arange(rows), true] += rng.gamma(2, size=rows).astype(np.float32)
    matrix /= matrix.sum(axis=1, keepdims=True)
    top = np.argsort(-matrix, axis=1, kind="stable").astype(np.int32)
    given = matrix[np.arange(rows), labels]
    return OutOfFold(given, top, np.take_along_axis(matrix, top, axis=1), True), labels, matrix


def as_matrix(predicted: OutOfFold) -> np.ndarray:
    matrix = np.empty(predicted.top.shape)
    np.put_along_axis(matrix, predicted.top, predicted.probability.astype(float), axis=1)
    return matrix


@pytest.mark.parametrize(("rows", "classes", "seed"), [(60, 2, 0), (500, 5, 1), (2000, 10, 2)])
def test_the_confident_joint_is_cleanlabs(rows: int, classes: int, seed: int) -> None:
    predicted, labels, matrix = by_chance(rows, classes, seed)
    confident = confident_classes(predicted, labels)
    joint = np.zeros((classes, classes), int)
    np.add.at(joint, (labels[confident != UNSURE], confident[confident != UNSURE]), 1)
    assert np.array_equal(joint, compute_confident_joint(labels, matrix, calibrate=False))


@pytest.mark.parametrize("share", [0, 0.05, 0.2, 0.5])
def test_the_labels_that_are_pruned_are_cleanlabs(share: float) -> None:
    labels, _ = flipped(share, 0)
    found = judged(labels)
    ours = prune_by_class(found.predicted, labels, found.confident)
    theirs = find_label_issues(labels, as_matrix(found.predicted), filter_by="prune_by_class", n_jobs=1)
    assert (ours != theirs).sum() <= 2  # of 1,797; cleanlab keeps the sum of each row of the joint when it rounds


def test_one_label_of_each_class_is_always_kept() -> None:
    labels = np.arange(10, dtype=np.int32)
    top = ((labels[:, None] + 1 + np.arange(10)) % 10).astype(np.int32)  # all say another class
    probability = np.tile(np.linspace(0.19, 0.01, 10, dtype=np.float32), (10, 1))
    predicted = OutOfFold(np.full(10, 0.01, np.float32), top, probability, True)
    assert not prune_by_class(predicted, labels, confident_classes(predicted, labels)).any()


def test_clean_labels_agree_with_what_is_confident() -> None:
    confident = judged(TRUTH).confident
    assert (confident == TRUTH)[confident != UNSURE].mean() > 0.995
