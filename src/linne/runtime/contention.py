"""Other programs at work on the same cores: how much longer all takes because of them."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

from linne.runtime.cores import available_cores

SECONDS = 0.25

NOTICEABLE = 1.2
"""Below this it is chance."""

BLOCK = bytes(1 << 20)


def slowness() -> float:
    """How many times as long as on a machine of its own a process needs that keeps all cores at work; 1 on such a one.

    Threads on all cores compute for a moment: the time that went by over that in which they ran. Other programs count.
    Measurements of speed do not tell, since their best moments are
    those in which nothing else ran. What is noticed must be so a second time: one moment may be a hiccup.
    """
    found = _measured()
    if found > NOTICEABLE:
        found = min(found, _measured())
    return found if found > NOTICEABLE else 1.0


def _measured() -> float:
    cores = available_cores()
    with ThreadPoolExecutor(cores, thread_name_prefix="contention") as pool:
        passed, ran = zip(*pool.map(_computed, range(cores)), strict=True)
    return float(sum(passed) / max(sum(ran), 1e-6))


def _computed(_: int) -> tuple[float, float]:
    """Seconds that went by, and those in which this thread ran."""
    began, used = time.perf_counter(), time.thread_time()
    while time.perf_counter() < began + SECONDS:
        hashlib.blake2b(BLOCK)  # lets go of the interpreter's lock
    return time.perf_counter() - began, time.thread_time() - used
