"""`torchrun -m linne fit`: the same losses as one process, and an end of all when one ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from walked import environment, linne

from linne.records.run import Run

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """Begin `linne fit` with two processes."""
    return subprocess.Popen(
        [*TORCHRUN, "-m", "linne", "fit", *map(str, arguments)],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def both(folder: Path, *arguments: object) -> Run:
    """Fit with two processes."""
    process = start(folder, *arguments)
    told, problems = process.communicate(timeout=300)
    assert process.returncode == 0, problems
    assert told.count("of validation right") == 1  # one process tells
    (run,) = (folder / arguments[arguments.index("--out") + 1]).iterdir()
    return Run.open(run)


def history(run: Run) -> list[dict]:
    return [json.loads(line) for line in run.history.read_text().splitlines()]


def assert_same(one: Run, two: Run) -> None:
    first, second = history(one), history(two)
    assert len(first) == len(second) > 1
    for a, b in zip(first, second, strict=True):
        assert (a["loss"] is None) == (b["loss"] is None)
        assert b["loss"] == pytest.approx(a["loss"], abs=1e-5)
        assert b["log_loss"] == pytest.approx(a["log_loss"], abs=1e-5)
        assert b["accuracy"] == a["accuracy"]


def fit_alone(folder: Path, *arguments: object) -> Run:
    done = linne("fit", *arguments, "--budget", "none", "--out", "one", folder=folder)
    assert done.returncode == 0, done.stderr
    (run,) = (folder / "one").iterdir()
    return Run.open(run)


# 33 does not divide by two; losses stay near each other where steps are small.
SETTINGS = [f"--set={setting}" for setting in ("batch_size=33", "epochs=2", "learning_rate=1e-4", "precision=float32")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "shard"),
    [
        (["--set=method=stages"], []),
        (["--set=method=whole", "--set=average=0.2"], []),
        (["--set=method=whole", "--mix"], []),
        (["--set=method=whole", "--set=average=0.2"], ["--shard"]),
        (["--set=method=stages"], ["--shard"]),
    ],
    ids=["stages", "whole", "mixed", "whole in pieces", "stages in pieces"],
)
def test_two_processes_train_as_one(tmp_path, digits, lenet_weights, settings, shard):
    asked = (digits, "--weights", lenet_weights)
    one = fit_alone(tmp_path, *asked, *SETTINGS, *settings)
    two = both(tmp_path, *asked, *shard, "--plan", one.plan, "--out", "two")
    assert_same(one, two)
    assert two.facts["chosen"]["epoch"] == one.facts["chosen"]["epoch"]
    with safe_open(one.checkpoint, "pt") as a, safe_open(two.checkpoint, "pt") as b:
        assert set(a.keys()) == set(b.keys())
        for name in a.keys():  # noqa: SIM118 - no mapping
            torch.testing.assert_close(a.get_tensor(name), b.get_tensor(name), atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("shard", [[], ["--shard"]], ids=["", "in pieces"])
def test_two_processes_train_from_scratch_as_one(tmp_path, digits, shard):
    asked = (digits, "--network", "resnet20_cifar")
    one = fit_alone(tmp_path, *asked, *SETTINGS, "--set=optimiser=sgd")
    assert_same(one, both(tmp_path, *asked, *shard, "--plan", one.plan, "--out", "two"))


def begun(folder: Path, epochs: int) -> Run:
    """Wait until training is that far."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        for path in folder.glob("runs/*/history.jsonl"):
            if len(path.read_text().splitlines()) > epochs:
                return Run(path.parent)
        time.sleep(0.05)
    raise AssertionError("training has not begun")


def workers(launcher: subprocess.Popen[str]) -> dict[int, int]:
    """Process ids by rank."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            variables = dict(pair.split("=", 1) for pair in (folder / "environ").read_text().split("\0") if "=" in pair)
        except (OSError, ValueError, IndexError):
            continue
        if parent == launcher.pid and "RANK" in variables:
            found[int(variables["RANK"])] = int(folder.name)
    return found


LONG = ("--set=method=whole", "--set=epochs=2000", "--set=batch_size=33", "--set=learning_rate=1e-5", "--budget=none")


def lines_of_linne(problems: str) -> list[str]:
    return [line for line in problems.splitlines() if "linne: " in line]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_run_of_two_that_is_stopped_and_killed_goes_on_with_any_number(tmp_path, digits, lenet_weights):
    launcher = start(tmp_path, digits, "--weights", lenet_weights, *LONG, "--shard")
    run = begun(tmp_path, 2)
    os.kill(launcher.pid, signal.SIGTERM)
    _, problems = launcher.communicate(timeout=120)
    assert launcher.returncode != 0
    assert len(lines_of_linne(problems)) == 1, problems
    assert run.state.exists()
    kept = len(history(run))

    launcher = start(tmp_path, "--resume", run.folder)
    begun(tmp_path, kept + 1)
    os.kill(workers(launcher)[1], signal.SIGKILL)
    _, problems = launcher.communicate(timeout=120)
    assert launcher.returncode != 0
    assert len(lines_of_linne(problems)) == 1, problems
    assert run.state.exists()

    kept = len(history(run))
    launcher = start(tmp_path, "--resume", run.folder, "--shard")
    begun(tmp_path, kept + 1)
    os.kill(launcher.pid, signal.SIGINT)
    _, problems = launcher.communicate(timeout=120)
    assert launcher.returncode != 0
    assert len(lines_of_linne(problems)) == 1, problems

    kept = len(history(run))
    alone = subprocess.Popen(
        [sys.executable, "-m", "linne", "fit", "--resume", str(run.folder)],
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    begun(tmp_path, kept + 1)
    alone.send_signal(signal.SIGINT)  # one process finishes then
    assert alone.wait(timeout=120) == 0
    assert [line["epoch"] for line in history(run)] == list(range(len(history(run))))
    assert Run.open(run.folder).is_finished()


@pytest.mark.slow
def test_images_that_vanish_are_left_out_of_batches_of_all(tmp_path, digits, lenet_weights):
    """One process alone is the reference, with the same images gone."""
    shutil.copytree(digits, tmp_path / "photos")
    asked = (tmp_path / "photos", "--weights", lenet_weights, *SETTINGS, "--set=method=whole", "--cache-size", "0")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "import linne.road.walk as walk\n"
        "train, photos = walk.train_network, Path('photos')\n"
        "def vanish(*given):\n"
        "    for path in sorted(photos.glob('*/*'))[::9]:\n"
        "        path.unlink(missing_ok=True)\n"
        "    return train(*given)\n"
        "walk.train_network = vanish\n"
        "from linne.cli import main\n"
        "main()\n"
    )
    (tmp_path / "gone.py").write_text(code)
    runs = []
    for launch, out in (([sys.executable], "one-gone"), (TORCHRUN, "two-gone")):
        shutil.rmtree(tmp_path / "photos")
        shutil.copytree(digits, tmp_path / "photos")
        command = [*launch, "gone.py", "fit", *map(str, asked), "--budget", "none", "--out", out]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        (folder,) = (tmp_path / out).iterdir()
        runs.append(Run.open(folder))
    assert_same(*runs)
    left = [run.facts["chosen"]["left_out"] for run in runs]
    assert left[0].keys() == left[1].keys()
    assert left[0]


@pytest.mark.slow
def test_what_fails_in_one_process_is_told_once_and_ends_all(tmp_path, digits, lenet_weights):
    code = (
        "import linne.road.follow as follow\n"
        "from linne.records.errors import DataError\n"
        "def fail(*given):\n"
        "    raise DataError('the disk is gone', value='here')\n"
        "follow.train_network = fail\n"
        "from linne.cli import main\n"
        "main()\n"
    )
    (tmp_path / "fails.py").write_text(code)
    asked = (digits, "--weights", lenet_weights, *SETTINGS, "--set=method=whole", "--budget", "none")
    command = [*TORCHRUN, "fails.py", "fit", *map(str, asked)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode != 0
    (line,) = lines_of_linne(done.stderr)
    assert line.startswith("linne: process 1: ")
