"""Ctrl-C where a training is to go on later, not to be finished now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from linne.records.errors import Stopped


@contextmanager
def ctrl_c_as_an_end() -> Iterator[None]:
    """Let Ctrl-C write a checkpoint while a network trains, as SIGTERM does; elsewhere it is what it always was.

    A fit that is interrupted ships what it has; a network of a race is to have its whole budget.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    usual, pressed = signal.getsignal(signal.SIGTERM), []

    def press(number: int, _: FrameType | None) -> None:
        if signal.getsignal(signal.SIGTERM) is usual:  # no training hears it
            raise KeyboardInterrupt
        pressed.append(number)
        signal.raise_signal(signal.SIGTERM)

    signal.signal(signal.SIGINT, press)
    try:
        yield
    except Stopped:
        if pressed:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
