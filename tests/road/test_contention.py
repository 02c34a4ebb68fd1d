"""Is it noticed that other programs are at work?"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from walked import write_digits

import linne
from linne.records.memory import recalled
from linne.road.planning import MEMORY
from linne.runtime import contention

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


def test_what_is_planned_meanwhile_is_for_that_moment(
    lenet_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, store = write_digits(tmp_path / "photos", 20, 3), tmp_path / "store"

    def fitted(slowness: float) -> None:
        monkeypatch.setattr(importlib.import_module("linne.road.walk"), "slowness", lambda: slowness)
        linne.fit(photos, weights=lenet_weights, budget=60, cache=store, out=tmp_path / "runs")

    fitted(2.0)
    assert not recalled(store / MEMORY)
    fitted(1.0)
    assert recalled(store / MEMORY)


@pytest.mark.parametrize(
    ("moments", "said"), [((1.0,), 1.0), ((1.1,), 1.0), ((3.0, 2.0), 2.0), ((2.0, 3.0), 2.0), ((3.0, 1.1), 1.0)]
)
def test_what_is_noticed_must_be_so_a_second_time(
    moments: tuple[float, ...], said: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = list(moments)
    monkeypatch.setattr(contention, "NOTICEABLE", 1.2)
    monkeypatch.setattr(contention, "_measured", lambda: left.pop(0))
    assert contention.slowness() == said
    assert not left
