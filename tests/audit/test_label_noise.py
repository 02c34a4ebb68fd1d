"""The share of wrong labels is estimated, and lies in its interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_digits import ALONE, FEATURES, TRUTH, flipped, judged, of_labels

from linne.audit.judged import judge
from linne.audit.label_noise import MOST_PAIRS, label_noise


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_planted_share_lies_in_the_interval(share: float) -> None:
    labels, rows = flipped(share, 0)
    noise = label_noise(judged(labels), 0)
    planted = len(rows) / len(labels)
    assert noise.judged == len(labels)
    assert noise.low < planted < noise.high
    assert abs(noise.share - planted) < 0.015
    assert noise.low < noise.share < noise.high < noise.low + 0.06
    assert len(noise.pairs) == MOST_PAIRS


def test_the_pair_of_classes_where_the_noise_lies_comes_first() -> None:
    labels = TRUTH.copy()
    threes = np.flatnonzero(TRUTH == 3)[:40]
    labels[threes] = 7
    first = label_noise(judged(labels), 0).pairs[0]
    assert (first.given, first.likely) == ("7", "3")
    assert first.low < first.images < first.high
    assert 20 <= first.images <= 40  # so much noise between two classes blurs them, and half of it is seen


def test_where_nothing_is_wrong_the_interval_still_has_a_width() -> None:
    found = judged(TRUTH)
    noise = label_noise(replace(found, confident=TRUTH), 0)
    assert (noise.share, noise.low, noise.pairs) == (0, 0, ())
    assert noise.high == pytest.approx(3.69 / len(TRUTH), rel=0.01)


def test_images_of_one_group_are_one_piece_of_evidence() -> None:
    """Each digit ten times over: as much noise, and no narrower an interval."""
    labels, _ = flipped(0.1, 1)
    some = ALONE[:900]
    rows = np.concatenate([some] * 10)
    many = judge(of_labels(labels[rows]), FEATURES[rows], np.ones(len(rows), bool), rows, 0)
    few = judge(of_labels(labels[some]), FEATURES[some], np.ones(len(some), bool), some, 0)
    assert many is not None
    assert few is not None
    one, other = label_noise(many, 0), label_noise(few, 0)
    assert abs(one.share - other.share) < 0.02
    assert one.high - one.low > 0.8 * (other.high - other.low)


def test_the_same_each_time() -> None:
    labels, _ = flipped(0.1, 2)
    found = judged(labels)
    assert label_noise(found, 3) == label_noise(found, 3)
