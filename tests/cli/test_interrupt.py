"""Ctrl-C: a pass is continued, a training is finished with its best weights."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from walked import environment, linne


def start(*arguments: object, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "linne", *map(str, arguments)],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def write_slow_images(folder: Path, a_class: int) -> None:
    """Two classes of images that take a while to decode."""
    for label in ("dark", "bright"):
        (folder / label).mkdir(parents=True)
        for number in range(a_class):
            value = number if label == "dark" else 255 - number
            Image.fromarray(np.full((2000, 2000), value, np.uint8)).save(folder / label / f"{number}.png")


@pytest.mark.slow
def test_an_interrupted_pass_goes_on_where_it_stopped(tmp_path: Path, lenet_weights: Path) -> None:
    write_slow_images(tmp_path / "photos", 60)
    arguments = ("fit", "photos", "--weights", lenet_weights, "--budget", "60s", "--json")
    process = start(*arguments, folder=tmp_path)
    for line in process.stderr:  # type: ignore[union-attr]
        if line.startswith("plan: training"):
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    (run,) = (tmp_path / "runs").iterdir()
    assert {path.name for path in run.iterdir()} == {".lock", "asked.json"}
    done = linne("fit", "--resume", run, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    computed = json.loads(done.stdout)["embedded"]
    assert 0 < computed["computed"] < computed["images"]


def test_an_interrupted_training_keeps_the_best_and_finishes(tmp_path: Path, digits: Path) -> None:
    process = start("fit", digits, "--budget", "10m", folder=tmp_path)
    history = tmp_path / "runs" / "digits-1" / "history.jsonl"
    give_up = time.monotonic() + 60
    while (not history.exists() or len(history.read_text().splitlines()) < 3) and time.monotonic() < give_up:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    facts = json.loads((history.parent / "run.json").read_text())
    assert facts["chosen"]["stopped"] == "interrupt"
    lines = [json.loads(line) for line in history.read_text().splitlines()]
    assert facts["chosen"]["accuracy"] == max(line["accuracy"] for line in lines)
    image = next((digits / "4").iterdir())
    assert linne("predict", history.parent / "bundle", image, folder=tmp_path).returncode == 0
