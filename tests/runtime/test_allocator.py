"""Does memory that was freed stay with the process?"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from linne.runtime.allocator import keep_freed_memory

BLOCKS = """
import resource, sys
import numpy as np
from linne.runtime.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [bytearray(100_000_000) for _ in range(2)]
    del blocks
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> list[int]:
    """Pages that were faulted in for the same large blocks, time after time."""
    unset = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    ended = subprocess.run([sys.executable, "-c", BLOCKS, how], env=unset, capture_output=True, text=True, check=True)
    return [int(count) for count in ended.stdout.split()]


def has_mallopt() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt")


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    assert not keep_freed_memory()


@pytest.mark.skipif(not has_mallopt(), reason="the C library is not glibc")
def test_large_blocks_are_faulted_in_once() -> None:
    kept, given_back = faults("kept"), faults("given back")
    assert max(kept[1:]) < kept[0] / 100
    assert min(given_back[1:]) > given_back[0] / 2
