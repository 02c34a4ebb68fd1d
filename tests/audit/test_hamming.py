"""The pairs of close codes are exactly those that comparing each with each gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from linne.audit.hamming import BITS, bands_for, pairs_between, pairs_within

Codes = NDArray[np.uint64]

WORDS = st.integers(0, 2**BITS - 1)


def brute(queries: Codes, codes: Codes, radius: int) -> set[tuple[int, int]]:
    first, second = np.nonzero(np.bitwise_count(queries[:, None] ^ codes) <= radius)
    return set(zip(first.tolist(), second.tolist(), strict=True))


def found(pairs: object) -> list[tuple[int, int]]:
    return [pair for one, two in pairs for pair in zip(one.tolist(), two.tolist(), strict=True)]  # type: ignore[attr-defined]


def near(rng: np.random.Generator, codes: Codes, bits: int) -> Codes:
    """Codes with up to `bits` bits changed."""
    out = codes.copy()
    for _ in range(bits):
        out ^= np.uint64(1) << rng.integers(0, BITS, len(codes)).astype(np.uint64)
    return out


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=12), st.integers(2, 20), st.integers(0, 2**32))
def test_every_pair_comes_once_whatever_the_codes(words: list[int], radius: int, seed: int) -> None:
    """Random words are far apart, so each is joined by others a few bits away, and by itself."""
    base, rng = np.array(words, np.uint64), np.random.default_rng(seed)
    codes = np.concatenate([base, near(rng, base, radius), near(rng, base, radius + 2), base])
    pairs = found(pairs_within(codes, radius, 2))
    assert all(one < two for one, two in pairs)
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == {pair for pair in brute(codes, codes, radius) if pair[0] < pair[1]}


@settings(max_examples=30, deadline=None)
@given(st.lists(WORDS, max_size=8), st.lists(WORDS, max_size=8), st.integers(2, 12), st.integers(0, 2**32))
def test_queries_meet_codes(asked: list[int], words: list[int], radius: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.array(words, np.uint64)
    queries = np.concatenate([np.array(asked, np.uint64), near(rng, codes, radius), codes])
    pairs = found(pairs_between(queries, codes, radius, 2))
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == brute(queries, codes, radius)


@pytest.mark.parametrize("number", [3000, 12_000])
def test_many_codes_some_of_them_crowded(number: int) -> None:
    """Half of the codes differ in a few bits of one of twenty, as the hashes of real photos crowd together."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2**BITS, number, dtype=np.uint64)
    crowded = number // 50
    codes[:crowded] = near(rng, np.repeat(codes[-20:], -(-crowded // 20))[:crowded], 6)
    pairs = found(pairs_within(codes, 10, 2))
    assert len(pairs) == len(set(pairs))
    expected = set()
    for start in range(0, number, 1000):
        some = brute(codes[start : start + 1000], codes, 10)
        expected |= {(start + one, two) for one, two in some if start + one < two}
    assert set(pairs) == expected


@pytest.mark.parametrize("number", [0, 1, 100, 50_000, 10**6, 10**8])
@pytest.mark.parametrize("radius", [2, 8, 10, 20])
def test_bands_share_all_bits_and_no_pair_can_slip_through(number: int, radius: int) -> None:
    bands = bands_for(number, radius)
    assert sorted(bit for band in bands for bit in band.bits) == list(range(BITS))
    assert sum(band.radius + 1 for band in bands) == radius + 1
    assert max(len(band.bits) for band in bands) <= 22
