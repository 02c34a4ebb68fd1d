"""Planted wrong labels are found, right ones left alone, and a copy never vouches for a label."""

from __future__ import annotations

import numpy as np
import pytest
from planted_digits import ALONE, FEATURES, ROWS, TRUTH, flipped, judged, of_labels, row_of
from sklearn.metrics import average_precision_score

from linne.audit.judged import FEWEST_IMAGES, judge, rows_of_enough
from linne.audit.label_doubt import label_doubt


@pytest.mark.parametrize(("share", "seed"), [(0.05, 0), (0.1, 1)])
def test_planted_flips_are_found(share: float, seed: int) -> None:
    labels, rows = flipped(share, seed)
    findings = label_doubt(of_labels(labels), judged(labels))
    doubted = np.array([row_of(finding) for finding in findings])
    assert np.isin(rows, doubted).mean() >= 0.95
    assert (~np.isin(doubted, rows)).sum() / ROWS < 0.01
    right = [finding for finding, row in zip(findings, doubted, strict=True) if row in rows]
    assert np.mean([f.suggestion == str(TRUTH[row_of(f)]) for f in right]) > 0.95
    assert all(0 <= finding.score <= 1 for finding in findings)
    assert all(finding.label == str(labels[row_of(finding)]) != finding.suggestion for finding in findings)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_the_ranking_puts_wrong_labels_first(share: float) -> None:
    labels, rows = flipped(share, 3)
    assert average_precision_score(np.isin(ALONE, rows), 1 - judged(labels).predicted.given) > 0.98


def test_clean_labels_are_hardly_doubted() -> None:
    assert len(label_doubt(of_labels(TRUTH), judged(TRUTH))) < 0.01 * ROWS


def test_classes_with_too_few_distinct_images_are_left_out() -> None:
    label = np.repeat([0, 1, 2], [FEWEST_IMAGES, FEWEST_IMAGES, FEWEST_IMAGES - 1])
    images = of_labels(label, 3)
    every, alone = np.ones(len(label), bool), np.arange(len(label))
    assert rows_of_enough(images, every, alone).tolist() == np.flatnonzero(label < 2).tolist()
    one_unreadable = every.copy()
    one_unreadable[0] = False
    assert set(label[rows_of_enough(images, one_unreadable, alone)]) == {1}
    two_alike = alone.copy()
    two_alike[1] = two_alike[0]
    assert set(label[rows_of_enough(images, every, two_alike)]) == {1}


@pytest.mark.parametrize("label", [[], [0], [0, 1], [0] * 20 + [1] * 9, [0] * 40])
def test_fewer_than_two_classes_cannot_be_judged(label: list[int]) -> None:
    images = of_labels(np.array(label, np.int32), 2)
    rows = np.arange(len(label))
    assert judge(images, FEATURES[rows], np.ones(len(rows), bool), rows, 0) is None


def test_only_the_rows_that_can_be_are_judged() -> None:
    """Rows of a class that is left out stand between them, and classes are numbered anew."""
    labels, flips = flipped(0.05, 2)
    readable = labels != 4
    images = of_labels(labels)
    found = judge(images, FEATURES, readable, ALONE, 0)
    assert found is not None
    assert found.names == tuple("012356789")
    findings = label_doubt(images, found)
    doubted = {row_of(finding) for finding in findings}
    assert doubted <= set(np.flatnonzero(readable).tolist())
    assert all(finding.suggestion != "4" for finding in findings)
    mine = [row for row in flips if labels[row] != 4 and TRUTH[row] != 4]
    assert np.isin(mine, list(doubted)).mean() > 0.95
