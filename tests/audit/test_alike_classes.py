"""Halves of one class are told, and no other pair is, whatever the noise."""

from __future__ import annotations

import numpy as np
import pytest
from planted_digits import TRUTH, flipped, judged, of_labels

from linne.audit.alike_classes import alike_classes, are_alike
from linne.audit.confident_learning import UNSURE
from linne.audit.label_doubt import label_doubt


def halved(labels: np.ndarray, label: int, share: float) -> np.ndarray:
    """A share of a class gets another name, the eleventh."""
    parted = labels.copy()
    members = np.flatnonzero(labels == label)
    parted[np.random.default_rng(0).permutation(members)[: round(share * len(members))]] = 10
    return parted


@pytest.mark.parametrize("share", [0, 0.2, 0.5])
def test_no_two_digits_are_alike(share: float) -> None:
    assert judged(flipped(share, 0)[0]).alike == {}


@pytest.mark.parametrize(("noise", "part"), [(0, 0.5), (0.2, 0.5), (0, 0.3)])
def test_parts_of_one_class_are(noise: float, part: float) -> None:
    labels = halved(flipped(noise, 1)[0], 7, part)
    found = judged(labels, 11)
    assert set(map(frozenset, found.alike)) == {frozenset({7, 10})}
    (finding,) = alike_classes(found.names, found.labels, found.alike)
    fewer, more = sorted((7, 10), key=lambda label: (labels == label).sum())
    assert (finding.path, finding.label, finding.suggestion) == ("", str(fewer), str(more))
    assert 0.6 < finding.score <= 1


def test_labels_of_alike_classes_are_not_doubted_for_each_other() -> None:
    labels = halved(TRUTH, 7, 0.5)
    found = judged(labels, 11)
    between = {frozenset({f.label, f.suggestion}) for f in label_doubt(of_labels(labels, 11), found)}
    assert frozenset({"7", "10"}) not in between
    assert ((found.confident != labels) & (found.confident >= 0)).mean() < 0.01


def test_pairs_hold_both_ways() -> None:
    labels, others = np.array([1, 2, 2, 0], np.int32), np.array([2, 1, 0, -1], np.int32)
    assert are_alike(labels, others, {(1, 2): 0.5}).tolist() == [True, True, False, False]
    assert not are_alike(labels, others, {}).any()


def test_a_class_that_nobody_is_sure_of_is_alike_with_none() -> None:
    labels, others = np.array([1, 1, 0, 2], np.int32), np.array([UNSURE, 2, UNSURE, UNSURE], np.int32)
    assert are_alike(labels, others, {(0, 2): 0.5}).tolist() == [False] * 4
    assert are_alike(labels, others, {(1, 2): 0.5}).tolist() == [False, True, False, False]
