"""Look at images in threads, some ahead of their turn, and take what was seen in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future

from linne.embed.look import Looks

MOST_AT_ONCE = 32
ENOUGH_SECONDS = (0.002, 0.02)
"""A thread looks at several images in one go, as many as take so long: handing each over alone would cost as much as
looking up a known one, and many slow ones would be lost by an interrupt."""

_Looked = tuple[list[Looks], float, Exception | None]
"""Looks, the seconds that they took, and what went wrong at the next one."""


def in_order(pool: Executor, look: Callable[[int], Looks], rows: int, ahead: int) -> Generator[Looks]:
    """Look at every row in threads, some ahead, and yield in order.

    Parameters
    ----------
    pool : Executor
    look : callable
        Given a row; what it raises is raised here, after everything that came before.
    rows, ahead : int
        How many there are, and how many may be looked at, about, before they are taken.
    """
    waiting: deque[tuple[int, Future[_Looked]]] = deque()

    def look_at_some(chosen: range) -> _Looked:
        began, looks = time.perf_counter(), []
        try:
            for row in chosen:
                looks.append(look(row))  # noqa: PERF401 - what came before a failure is kept
        except Exception as error:  # noqa: BLE001 - raised where the results are taken
            return looks, 0.0, error
        return looks, time.perf_counter() - began, None

    start, submitted, size = 0, 0, 1
    try:
        while start < rows or waiting:
            while start < rows and submitted <= ahead:
                chosen = range(start, min(start + size, rows))
                waiting.append((len(chosen), pool.submit(look_at_some, chosen)))
                start, submitted = chosen.stop, submitted + len(chosen)
            length, future = waiting.popleft()
            submitted -= length
            looks, seconds, error = future.result()
            yield from looks
            if error is not None:
                raise error
            if seconds < ENOUGH_SECONDS[0]:
                size = min(2 * size, MOST_AT_ONCE)
            elif seconds > ENOUGH_SECONDS[1]:
                size = max(size // 2, 1)
    finally:
        for _, future in waiting:
            future.cancel()
