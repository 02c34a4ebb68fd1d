"""Imports without garbage collection."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let modules be imported without looking for garbage among them, then or ever: they stay.

    Collecting while PyTorch and scikit-learn are imported takes a fifth of the time that they take, and when Python
    ends it would look through all of them again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
