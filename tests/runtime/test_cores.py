"""How many cores are there to use?"""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from linne.runtime import cores as of_cores
from linne.runtime.cores import available_cores, quota


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "200000 100000\n"}, 2.0),
        ({"cpu.max": "50000 100000\n"}, 0.5),
        ({"cpu.max": "max 100000\n"}, math.inf),
        ({"cpu/cpu.cfs_quota_us": "150000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        ({"cpu.max": "rubbish"}, math.inf),
        ({"cpu.max": "200000 0\n"}, math.inf),
        ({}, math.inf),
    ],
)
def test_a_container_has_its_share_of_the_cores(tmp_path: Path, files: dict[str, str], cores: float) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert quota(tmp_path) == cores


@pytest.mark.parametrize(("share", "cores"), [("max", 8), ("150000", 2), ("10000", 1), ("9000000", 8)])
def test_no_more_than_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(f"{share} 100000")
    monkeypatch.setattr(of_cores, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert available_cores() == cores
