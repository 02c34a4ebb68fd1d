"""``--flip``: whether images are mirrored, decided by hand where class names tell something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import Call

from linne.records.plan import Plan


@pytest.mark.parametrize(("given", "mirrored"), [("auto", False), ("on", True), ("off", False)])
def test_preview(call: Call, digits: Path, tmp_path: Path, given: str, mirrored: bool) -> None:
    done = call("preview", digits, "--flip", given, "--images", 1, "--views", 1, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["policy"]["flip"] == mirrored


def test_fit(call: Call, digits: Path, lenet_weights: Path, tmp_path: Path) -> None:
    done = call(
        "fit", digits, "--weights", lenet_weights, "--flip", "on", "--set", "method=probe", "--json", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    run = Path(json.loads(done.stdout)["run"])
    assert Plan.read(tmp_path / run / "plan.json").flip  # digits are not mirrored of themselves


def test_preview_of_a_plan(call: Call, walked: Path, digits: Path, tmp_path: Path) -> None:
    done = call("preview", digits, "--plan", walked / "plan.json", folder=tmp_path)
    assert done.returncode == 1  # it trains on stored activations
    assert "stored activations" in done.stderr
    assert not (tmp_path / "preview.png").exists()
