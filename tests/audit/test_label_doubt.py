"""Planted wrong labels are found, right ones left alone, and a copy never vouches for a label."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from some_records import index

from linne.audit.label_doubt import FEWEST_IMAGES, can_be_doubted, label_doubt
from linne.audit.out_of_fold import out_of_fold_probabilities
from linne.records.index import Index

DIGITS = load_digits()
FEATURES = (DIGITS.data / 16).astype(np.float32)
TRUTH = DIGITS.target.astype(np.int32)
ROWS = len(TRUTH)
ALONE = np.arange(ROWS)


def of_labels(label: np.ndarray, classes: int = 10) -> Index:
    return index([f"{row}.png" for row in range(len(label))], tuple(map(str, range(classes))), label=label.tolist())


def flipped(share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a share was moved to another class, and the rows that were."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(ROWS, round(share * ROWS), replace=False))
    labels = TRUTH.copy()
    labels[rows] = (labels[rows] + rng.integers(1, 10, len(rows))) % 10
    return labels, rows


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_flips_are_found(seed: int) -> None:
    labels, rows = flipped(0.05, seed)
    images = of_labels(labels)
    probabilities = out_of_fold_probabilities(FEATURES, labels, ALONE, 10, seed)
    findings = label_doubt(images, ALONE, probabilities)
    doubted = np.array([int(finding.path.removesuffix(".png")) for finding in findings])
    recall = np.isin(rows, doubted).mean()
    false = (~np.isin(doubted, rows)).sum() / ROWS
    assert recall >= 0.9
    assert false < 0.03
    right = [finding for finding, row in zip(findings, doubted, strict=True) if row in rows]
    assert np.mean([f.suggestion == str(TRUTH[int(f.path.removesuffix(".png"))]) for f in right]) > 0.95
    assert all(0 <= finding.score <= 1 for finding in findings)


def test_clean_labels_are_hardly_doubted() -> None:
    probabilities = out_of_fold_probabilities(FEATURES, TRUTH, ALONE, 10, 0)
    assert len(label_doubt(of_labels(TRUTH), ALONE, probabilities)) < 0.03 * ROWS


def test_out_of_fold_probabilities_are_good_and_the_same_each_time() -> None:
    one = out_of_fold_probabilities(FEATURES, TRUTH, ALONE, 10, 0)
    assert one.shape == (ROWS, 10)
    assert one.dtype == np.float32
    assert np.abs(one.sum(axis=1) - 1).max() < 1e-5
    assert (one.argmax(axis=1) == TRUTH).mean() > 0.97
    assert np.array_equal(one, out_of_fold_probabilities(FEATURES, TRUTH, ALONE, 10, 0))


def test_an_exact_copy_with_a_wrong_label_does_not_vouch_for_it() -> None:
    """Were original and copy in two folds, the nearest picture of each would carry the other's label."""
    some = np.arange(0, ROWS, 6)
    features = np.concatenate([FEATURES, FEATURES[some]])
    wrong = (TRUTH[some] + 1) % 10
    labels = np.concatenate([TRUTH, wrong])
    groups = np.concatenate([ALONE, some])
    together = out_of_fold_probabilities(features, labels, groups, 10, 0).argmax(axis=1)
    assert (together[ROWS:] == wrong).mean() < 0.05
    assert (together[ROWS:] == TRUTH[some]).mean() > 0.9
    assert (together[some] == together[ROWS:]).all()  # in one fold, so seen by one classifier


def test_classes_with_too_few_distinct_images_are_left_out() -> None:
    label = np.repeat([0, 1, 2], [FEWEST_IMAGES, FEWEST_IMAGES, FEWEST_IMAGES - 1])
    images = of_labels(label, 3)
    every = np.ones(len(label), bool)
    alone = np.arange(len(label))
    assert can_be_doubted(images, every, alone).tolist() == np.flatnonzero(label < 2).tolist()
    one_unreadable = every.copy()
    one_unreadable[0] = False
    assert set(label[can_be_doubted(images, one_unreadable, alone)]) == {1}
    two_alike = alone.copy()
    two_alike[1] = two_alike[0]
    assert set(label[can_be_doubted(images, every, two_alike)]) == {1}


@pytest.mark.filterwarnings("ignore:May not flag")
@pytest.mark.parametrize("rows", [0, 1, 2, 7])
def test_tiny_inputs(rows: int) -> None:
    labels = (np.arange(rows) % 2).astype(np.int32)
    probabilities = out_of_fold_probabilities(FEATURES[:rows], labels, np.arange(rows), 2, 0)
    assert probabilities.shape == (rows, 2)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert label_doubt(of_labels(labels, 2), np.arange(rows), probabilities) == []


def test_one_class_and_images_that_are_all_the_same() -> None:
    labels = np.zeros(20, np.int32)
    probabilities = out_of_fold_probabilities(FEATURES[:20], labels, np.arange(20), 2, 0)
    assert label_doubt(of_labels(labels, 2), np.arange(20), probabilities) == []
    same = np.repeat(FEATURES[:1], 20, axis=0)
    mixed = (np.arange(20) % 2).astype(np.int32)
    assert np.isfinite(out_of_fold_probabilities(same, mixed, np.arange(20), 2, 0)).all()


def test_only_the_rows_that_were_predicted_are_judged() -> None:
    """Rows of a class that is left out stand between them."""
    labels, flips = flipped(0.05, 2)
    rows = np.flatnonzero(labels != 4)
    probabilities = out_of_fold_probabilities(FEATURES[rows], labels[rows], rows, 10, 0)
    findings = label_doubt(of_labels(labels), rows, probabilities)
    doubted = {int(finding.path.removesuffix(".png")) for finding in findings}
    assert doubted <= set(rows.tolist())
    assert all(finding.suggestion != "4" for finding in findings)
    mine = [row for row in flips if labels[row] != 4 and TRUTH[row] != 4]
    assert np.isin(mine, list(doubted)).mean() > 0.9
