"""Memory that is freed stays with the process, to be used again.

glibc gives large blocks back to the system when they are freed, and every page of the next one is faulted in and zeroed
anew: a third of a training step of MobileNetV2 on two cores (docs/rooms/fit.md). Blocks of a step are those of the step
before. Where sizes change there are gaps between them that nothing fits, and the process grows by these.
"""

from __future__ import annotations

import ctypes
import os
import sys

# <malloc.h>
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8

NEVER = -1


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed, for the whole process and until it ends.

    Threads that are started from now on share one heap: pieces of a heap of their own are given back whatever is asked.

    Returns
    -------
    bool
        Whether it was asked to. It is not where the user has set how it allocates, nor elsewhere than with glibc.
    """
    if sys.platform != "linux" or any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl's
        return False
    for what, how in ((M_TRIM_THRESHOLD, NEVER), (M_MMAP_MAX, 0), (M_ARENA_MAX, 1)):
        mallopt(what, how)
    return True
