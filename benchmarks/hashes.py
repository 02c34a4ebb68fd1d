"""How long it takes to find all pairs of 64-bit hashes within 10 bits, and whether all find the same ones.

Half of the hashes are random words; the others lie 0 to 12 bits from one of these, crowded around some of them as the
hashes of real photos are. imagededup's search and faiss's binary flat index compare each with each.

Usage: hashes.py [--sizes N ...] [--peers-up-to N] [--turns N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
from harness import Comparison, Table, compare, main
from numpy.typing import NDArray

from linne.audit.hamming import pairs_within

RADIUS = 10
Codes = NDArray[np.uint64]
Pairs = set[tuple[int, int]]


def some_codes(number: int, seed: int) -> Codes:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2**64, number, dtype=np.uint64)
    close = number // 2
    around = rng.integers(close, number, close)
    codes[:close] = codes[around]
    changed = rng.integers(0, 13, close)
    for turn in range(12):
        bit = np.uint64(1) << rng.integers(0, 64, close).astype(np.uint64)
        codes[:close] ^= np.where(turn < changed, bit, np.uint64(0))
    return codes


def by_linne(codes: Codes) -> Pairs:
    return {
        pair for one, two in pairs_within(codes, RADIUS, 2) for pair in zip(one.tolist(), two.tolist(), strict=True)
    }


def by_imagededup(codes: Codes) -> Pairs:
    from imagededup.methods import PHash

    names = {str(i): f"{code:016x}" for i, code in enumerate(codes.tolist())}
    found = PHash(verbose=False).find_duplicates(encoding_map=names, max_distance_threshold=RADIUS)
    return {(min(int(a), int(b)), max(int(a), int(b))) for a, others in found.items() for b in others}


def by_faiss(codes: Codes) -> Pairs:
    import faiss

    words = codes.view(np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryFlat(64)
    index.add(words)
    limits, _, found = index.range_search(words, RADIUS + 1)  # below, not up to
    asked = np.repeat(np.arange(len(codes)), np.diff(limits.astype(np.int64)))
    once = asked < found
    return set(zip(asked[once].tolist(), found[once].tolist(), strict=True))


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    rows = []
    for size in given.sizes:
        codes = some_codes(size, 0)
        peers = {}
        if size <= given.peers_up_to:
            for name, way in (("imagededup", by_imagededup), ("faiss, flat", by_faiss)):
                start = time.monotonic()
                found = way(codes)
                peers[name] = (time.monotonic() - start, found)
        ours = by_linne(codes)
        yield compare(
            f"{size:,} hashes, pairs within {RADIUS} bits",
            {"linne": lambda codes=codes: sum(len(a) for a, _ in pairs_within(codes, RADIUS, 2))},
            turns=given.turns,
            warm_up=False,
        )
        for name, (seconds, found) in peers.items():
            rows.append((f"{size:,}", name, round(seconds, 1), len(found), "yes" if found == ours else "NO"))
        rows.append((f"{size:,}", "linne", "", len(ours), ""))
    yield Table("Pairs found", ("hashes", "by", "seconds, once", "pairs", "the same as linne's"), tuple(rows))


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("--sizes", {"type": int, "nargs": "+", "default": [50_000, 1_000_000]}),
            ("--peers-up-to", {"type": int, "default": 20_000, "help": "imagededup takes 6 minutes for 50,000"}),
            ("--turns", {"type": int, "default": 3}),
        ],
    )
