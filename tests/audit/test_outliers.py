"""Planted points far from all others are found; copies do not vouch for each other; many images fit in memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from some_records import index

from linne.audit import outliers
from linne.audit.outliers import FEWEST, neighbour_distance, off_topic
from linne.records.findings import Finding


def clusters(rows: int, seed: int = 0) -> np.ndarray:
    """Features of five kinds, never negative, as a network's are."""
    rng = np.random.default_rng(seed)
    kinds = rng.random((5, 64)) * (rng.random((5, 64)) < 0.4)
    return (kinds[rng.integers(0, 5, rows)] + rng.exponential(0.08, (rows, 64))).astype(np.float32)


def told(features: np.ndarray, groups: np.ndarray | None = None) -> list[Finding]:
    rows = len(features)
    alone = np.arange(rows) if groups is None else groups
    images = index([str(row) for row in range(rows)])
    return off_topic(images, features, np.ones(rows, bool), alone, 0)


def others(rows: int) -> np.ndarray:
    rng = np.random.default_rng(9)
    return (rng.random((rows, 64)) * (rng.random((rows, 64)) < 0.3)).astype(np.float32)


@pytest.mark.parametrize("rows", [300, 3000])
def test_planted_ones_are_the_surest(rows: int) -> None:
    features = np.concatenate([clusters(rows), others(4)])
    findings = sorted(told(features), key=lambda finding: -finding.score)
    assert {finding.path for finding in findings[:4]} == {str(rows + number) for number in range(4)}
    assert all(0.5 <= finding.score < 1 for finding in findings)
    assert len(findings) < 0.05 * rows


def test_copies_do_not_vouch_for_each_other() -> None:
    features = np.concatenate([clusters(300), np.repeat(others(1), 20, axis=0)])
    assert not any(int(finding.path) >= 300 for finding in told(features))
    groups = np.concatenate([np.arange(300), np.full(20, 300)])
    assert sum(int(finding.path) >= 300 for finding in told(features, groups)) == 20


def test_the_same_each_time_and_scale_does_not_matter() -> None:
    features = np.concatenate([clusters(2500), others(3)])
    assert told(features) == told(features)
    assert [finding.path for finding in told(100 * features)] == [finding.path for finding in told(features)]


@pytest.mark.parametrize("rows", [0, 1, 2, FEWEST - 1])
def test_too_few_to_say_what_is_usual(rows: int) -> None:
    assert told(clusters(rows)) == []


def test_all_the_same_and_nothing_at_all() -> None:
    assert told(np.repeat(clusters(1), 100, axis=0)) == []
    assert told(np.zeros((100, 64), np.float32)) == []
    assert told(np.repeat(clusters(1), 100, axis=0), np.zeros(100, np.int64)) == []


def test_unreadable_images_are_left_out() -> None:
    features, readable = clusters(200), np.ones(200, bool)
    features[:20], readable[:20] = 0, False
    findings = off_topic(index([str(row) for row in range(200)]), features, readable, np.arange(200), 0)
    assert all(int(finding.path) >= 20 for finding in findings)


@settings(max_examples=20)
@given(st.integers(FEWEST, 120), st.integers(1, 4), st.integers(0, 10))
def test_wild_features(rows: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = (rng.standard_cauchy((rows, width)) * rng.integers(0, 2, (rows, width))).astype(np.float32)
    assert all(0 <= finding.score <= 1 for finding in told(features, rng.integers(0, rows, rows)))


def test_memory_does_not_grow_with_the_number_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outliers, "LANDMARKS", 200)
    features = clusters(20_000)
    rows = np.arange(len(features))
    tracemalloc.start()
    neighbour_distance(features, rows, rows, np.random.default_rng(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6
