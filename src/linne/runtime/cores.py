"""How many cores there are to use."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux tells of a process's control group, a container's too."""


def available_cores() -> int:
    """Cores that this process may use: those that it may run on, and no more than a container's share of them."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(own, quota(CGROUP))))


@cache
def quota(cgroup: Path) -> float:
    """Cores' worth of time that a control group gives its processes, by Linux's files, of version 2 or 1; else inf."""
    with suppress(OSError, ValueError, ZeroDivisionError):
        given, period = (cgroup / "cpu.max").read_text().split()
        return math.inf if given == "max" else int(given) / int(period)
    with suppress(OSError, ValueError, ZeroDivisionError):
        given, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(given) / int(period) if int(given) > 0 else math.inf
    return math.inf
