"""How modules that take seconds are imported: without garbage collection, and whole."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Let modules be imported without looking for garbage among them, then or ever: they stay.

    Collecting while PyTorch and scikit-learn are imported takes a fifth of the time that they take, and when Python
    ends it would look through all of them again. Ctrl-C waits for the end: in the midst of PyTorch it aborts the
    process.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C came.
    """
    came: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    held = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    if held:
        signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if held:
            signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt
