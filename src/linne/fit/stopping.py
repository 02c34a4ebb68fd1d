"""Signals that end a process, answered at the next step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def stopping(ctrl_c: bool = False) -> Iterator[list[int]]:
    """Give a list that takes the signals that would end the process; they are its own again afterwards.

    Ctrl-C is one of them only on demand.

    In another thread than the main one, where none can be taken, it stays empty. What is ignored stays ignored: under
    ``nohup`` a terminal may be closed.
    """
    told: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        told.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    signals = (*SIGNALS, signal.SIGINT) if ctrl_c else SIGNALS
    heard = [number for number in signals if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, note) for number in heard}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
