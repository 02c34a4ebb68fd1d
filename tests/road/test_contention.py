"""Is it noticed that other programs are at work?"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, subprocess, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from linne.runtime.contention import slowness
busy = [sys.executable, "-c", "print(flush=True)\\nwhile True: pass"]
others = [subprocess.Popen(busy, stdout=subprocess.PIPE) for _ in range(3)]
for other in others:
    other.stdout.readline()
print(slowness())
for other in others:
    other.kill()
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be kept on one core here")
def test_three_other_programs_on_the_same_core() -> None:
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert float(said.stdout) > 2  # four in all: four times as long, were they served in turn
