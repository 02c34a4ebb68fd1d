"""Two classifiers on the same images: what is a difference, and what is chance."""

from __future__ import annotations

from importlib import import_module
from math import comb

import numpy as np
import pytest

from linne.evaluate.paired import adjusted, compare_paired


def right(*counts: tuple[int, bool, bool]) -> tuple[np.ndarray, np.ndarray]:
    """So many images with these answers of the first and of the second."""
    pairs = np.array([(a, b) for number, a, b in counts for _ in range(number)])
    return pairs[:, 0], pairs[:, 1]


def test_single_images_are_compared_by_mcnemars_exact_test() -> None:
    first, second = right((60, True, True), (8, True, False), (2, False, True), (30, False, False))
    compared = compare_paired(first, second, np.arange(100), 0)
    assert compared.p == pytest.approx(2 * sum(comb(10, k) for k in range(3)) / 2**10)
    assert compared.difference.value == pytest.approx(0.06)
    # The difference's standard error, of n multinomial counts: sqrt((b + c - (b - c)^2 / n)) / n.
    error = np.sqrt(10 - 36 / 100) / 100
    assert compared.difference.low == pytest.approx(0.06 - 1.96 * error, abs=0.012)
    assert compared.difference.high == pytest.approx(0.06 + 1.96 * error, abs=0.012)


def test_copies_are_one_piece_of_evidence() -> None:
    first, second = right((60, True, True), (12, True, False))
    singles = compare_paired(first, second, np.arange(72), 0)
    copies = compare_paired(first, second, np.array([*range(60), *[60] * 12]), 0)
    assert singles.p == pytest.approx(2 / 2**12)
    assert copies.p == 1.0
    assert copies.difference.low == 0.0 < singles.difference.low
    assert copies.difference.value == singles.difference.value


def test_equal_answers_are_no_difference() -> None:
    answers = np.array([True, False, True])
    compared = compare_paired(answers, answers, np.arange(3), 0)
    assert (compared.p, compared.difference.value, compared.difference.low, compared.difference.high) == (1, 0, 0, 0)


def test_many_groups_are_resampled_in_parts_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 500)) < 0.7
    whole = compare_paired(first, second, np.arange(500), 3)
    monkeypatch.setattr(import_module("linne.evaluate.paired"), "_CELLS", 7 * 500)
    assert compare_paired(first, second, np.arange(500), 3) == whole


def test_p_values_are_adjusted_as_holm_did() -> None:
    assert adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjusted([0.5, 0.9]) == [1.0, 1.0]
    assert adjusted([]) == []
