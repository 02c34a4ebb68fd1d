"""Are modules imported whole, whatever comes in between?"""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest

from linne.cli.importing import importing


@pytest.mark.usefixtures("as_python_starts")
def test_ctrl_c_waits_for_the_end() -> None:
    done = []

    def one_that_is_interrupted() -> None:
        with importing():
            assert not gc.isenabled()
            signal.raise_signal(signal.SIGINT)
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        one_that_is_interrupted()
    assert done == ["whole"]
    assert gc.isenabled()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_process_that_is_not_to_hear_of_it_does_not() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with importing():
            signal.raise_signal(signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def as_python_starts() -> Iterator[None]:
    """SIGINT as it is in a command."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
