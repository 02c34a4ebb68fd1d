"""All pairs of 64-bit codes that differ in few bits: exact, without comparing each with each.

Multi-index hashing (Norouzi, Punjani, Fleet: "Fast Exact Search in Hamming Space with Multi-Index Hashing", IEEE TPAMI
2014): the bits are dealt to bands, and each band has a radius, such that the radii, each raised by one, add up to
r + 1. Two codes that differ in r bits or fewer then differ in some band in no more bits than that band's radius. So for
each band, and each way to change so few of its bits, codes meet in the table of that band; what meets is compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

BITS = 64
WIDEST_BAND = 22
"""Bits; its table has a place for each value of them."""

_BLOCK = 1 << 17
"""Codes looked up at a time: what that takes stays in a core's cache."""

_AT_ONCE = 32
"""Changes a task."""

_TOGETHER = 256
_WAITING = 8
"""Tasks that run or wait to be read, so that results do not pile up."""

Codes = NDArray[np.uint64]
Places = NDArray[np.int64]
_Keys = NDArray[np.uint32]
_Found = list[tuple[NDArray[np.int32], NDArray[np.int32]]]


def pairs_within(codes: Codes, radius: int, threads: int) -> Iterator[tuple[Places, Places]]:
    """Find all pairs of codes that differ in `radius` bits or fewer.

    Parameters
    ----------
    codes : (n,) uint64 array
    radius : int
        From 2 to 63.
    threads : int

    Yields
    ------
    first, second : (m,) int64 arrays
        Positions, ``first < second``; each pair once, in no order.
    """
    for one, two in _search(None, codes, radius, threads):
        yield np.minimum(one, two), np.maximum(one, two)


def pairs_between(queries: Codes, codes: Codes, radius: int, threads: int) -> Iterator[tuple[Places, Places]]:
    """Find all pairs of a query and a code that differ in `radius` bits or fewer; as `pairs_within`.

    Yields
    ------
    query, code : (m,) int64 arrays
        Positions.
    """
    return _search(queries, codes, radius, threads)


@dataclass(frozen=True)
class Band:
    """Some bits of a code, and in how many of them two codes may differ."""

    bits: tuple[int, ...]
    radius: int

    @property
    def mask(self) -> np.uint64:
        """The bits, set."""
        return np.uint64(sum(1 << bit for bit in self.bits))

    @property
    def changes(self) -> list[list[int]]:
        """Every way to change no more than `radius` bits of a key, some at a time; these have one highest bit."""
        groups = [[0]]
        for top in range(len(self.bits)):
            lower = [1 << place for place in range(top)]
            some = [(1 << top) + sum(rest) for size in range(self.radius) for rest in combinations(lower, size)]
            groups += [some[start : start + _AT_ONCE] for start in range(0, len(some), _AT_ONCE)]
        return groups

    def keys(self, codes: Codes) -> _Keys:
        """The bits of each code, gathered."""
        keys = np.zeros(len(codes), np.uint32)
        for place, bit in enumerate(self.bits):
            keys |= ((codes >> np.uint64(bit)) & np.uint64(1)).astype(np.uint32) << np.uint32(place)
        return keys


def bands_for(number: int, radius: int) -> list[Band]:
    """Deal the bits to so many bands that looking up and comparing `number` codes takes least."""
    fewest = -(-BITS // WIDEST_BAND)

    def work(bands: list[Band]) -> float:
        """Lookups and comparisons of one code."""
        ways = [(sum(comb(len(band.bits), k) for k in range(band.radius + 1)), 2 ** len(band.bits)) for band in bands]
        return float(sum(changes * (1 + number / places) for changes, places in ways))

    return min((_deal(bands, radius) for bands in range(fewest, max(fewest, radius + 1) + 1)), key=work)


def _deal(number: int, radius: int) -> list[Band]:
    """Bands of bits that lie apart, for neighbouring ones depend on each other."""
    share, left = divmod(radius + 1, number)
    return [Band(tuple(range(first, BITS, number)), share - 1 + (first < left)) for first in range(number)]


class _Table:
    """Codes in the order of their keys in one band."""

    def __init__(self, codes: Codes, band: Band) -> None:
        keys = band.keys(codes)
        self.order = np.argsort(keys, kind="stable").astype(np.int32)
        self.keys, self.codes = keys[self.order], codes[self.order]
        size = np.bincount(self.keys, minlength=1 << len(band.bits))
        self.size = size.astype(np.int32)
        self.start = (np.cumsum(size) - size).astype(np.int32)
        self.there = size > 0


@dataclass(frozen=True)
class _Task:
    """Queries that meet the codes of a table after changes of their keys that have one highest bit."""

    queries: _Table
    table: _Table
    changes: list[int]
    radius: int
    earlier: list[Band]

    def run(self) -> _Found:
        """Pairs that no earlier band has found."""
        within = self.queries is self.table
        top = self.changes[0].bit_length() - 1
        found: _Found = []
        for start in range(0, len(self.queries.keys), _BLOCK):
            keys = self.queries.keys[start : start + _BLOCK]
            one = np.arange(start, start + len(keys), dtype=np.int32)
            if within and top < 0:
                self._meet(one, one + np.int32(1), self.table.start[keys] + self.table.size[keys], found)
                continue
            if within:  # the upper ones are met from below
                lower = np.flatnonzero(keys & np.uint32(1 << top) == 0)
                keys, one = keys[lower], one[lower]
            for change in self.changes:
                met = keys ^ np.uint32(change)
                hit = np.flatnonzero(self.table.there[met])
                met = met[hit]
                first = self.table.start[met]
                self._meet(one[hit], first, first + self.table.size[met], found)
        return found

    def _meet(self, one: NDArray[np.int32], two: NDArray[np.int32], end: NDArray[np.int32], found: _Found) -> None:
        """Compare each query with the codes from `two` up to `end`, the first ones, then the second ones, ..."""
        while True:
            more = np.flatnonzero(two < end)
            if not len(more):
                return
            if len(more) < len(one):
                one, two, end = one[more], two[more], end[more]
            self._compare(one, two, found)
            two = two + np.int32(1)

    def _compare(self, one: NDArray[np.int32], two: NDArray[np.int32], found: _Found) -> None:
        apart = self.queries.codes[one] ^ self.table.codes[two]
        close = np.flatnonzero(np.bitwise_count(apart) <= self.radius)
        if not len(close):
            return
        apart = apart[close]
        for band in self.earlier:
            new = np.bitwise_count(apart & band.mask) > band.radius
            close, apart = close[new], apart[new]
        if len(close):
            found.append((self.queries.order[one[close]], self.table.order[two[close]]))


def _search(queries: Codes | None, codes: Codes, radius: int, threads: int) -> Iterator[tuple[Places, Places]]:
    if not len(codes) or (queries is not None and not len(queries)):
        return
    bands = bands_for(len(codes), radius)
    waiting: deque[Future[_Found]] = deque()
    try:
        with ThreadPoolExecutor(threads) as pool:
            for place, band in enumerate(bands):
                table = _Table(codes, band)
                asking = table if queries is None else _Table(queries, band)
                for changes in band.changes:
                    waiting.append(pool.submit(_Task(asking, table, changes, radius, bands[:place]).run))
                    while len(waiting) > _WAITING:
                        yield from _as_places(waiting.popleft().result())
            while waiting:
                yield from _as_places(waiting.popleft().result())
    finally:
        for task in waiting:
            task.cancel()


def _as_places(found: _Found) -> Iterator[tuple[Places, Places]]:
    """What a task found, together: thousands of arrays of a few pairs would take more time than the search."""
    for start in range(0, len(found), _TOGETHER):
        some = found[start : start + _TOGETHER]
        one, two = (np.concatenate([pair[end] for pair in some]).astype(np.int64) for end in (0, 1))
        yield one, two
