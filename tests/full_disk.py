"""A disk that is full, for tests: files that may grow no further stand for it."""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def full_disk(largest: int) -> Iterator[None]:
    """Let this process write no file beyond so many bytes."""
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # half of it would be taken for whole ever after
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
        sys.dont_write_bytecode = writes


def on_full_disk(largest: int) -> Callable[[], None]:
    """For ``preexec_fn``: the same for another process."""

    def begin() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    return begin
