"""Runs that are killed, told to end, or run again: by processes, as a user has them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from full_disk import on_full_disk
from walked import environment, linne, state_of, write_digits

from linne.records.lock import alone_in

Call = Callable[..., CompletedProcess[str]]
ASKED = ("--budget", "none", "--set", "epochs=6", "--set", "batch_size=16", "--set", "average=0.3", "--set", "mix=true")
EVERY_BATCH = (
    "from linne.fit import checkpoint as c; c.EVERY_SECONDS = 0.0; c.DEAREST_SHARE = 1.0; "
    "from linne.cli import main; main()"
)
"""`linne` whose checkpoints are always due."""


def start(*arguments: object, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", EVERY_BATCH, *map(str, arguments)],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(folder: Path) -> tuple[bytes, list[tuple[object, ...]], dict[str, object]]:
    """The bundle's model, the history without times, and what was chosen."""
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    told = [tuple(line[name] for name in ("level", "epoch", "loss", "accuracy", "log_loss")) for line in lines]
    facts = json.loads((folder / "run.json").read_text())
    assert facts["finished"]
    assert not (folder / "checkpoints" / "last.safetensors").exists()
    return (folder / "bundle" / "model.onnx").read_bytes(), told, facts["chosen"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> Path:
    """A folder with a run that was not cut off."""
    folder = tmp_path_factory.mktemp("place")
    done = linne("fit", digits, *ASKED, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def wait_for(process: subprocess.Popen[str], history: Path, lines: int) -> None:
    while process.poll() is None and (not history.exists() or len(history.read_text().splitlines()) < lines):
        time.sleep(0.02)
    assert process.poll() is None


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (1, signal.SIGKILL),
        *(pytest.param(lines, signal.SIGTERM, marks=pytest.mark.slow) for lines in (1, 4)),
        *(pytest.param(lines, signal.SIGKILL, marks=pytest.mark.slow) for lines in (0, 2, 3, 5, 6)),
    ],
)
def test_ended_and_resumed_it_ends_as_if_it_had_not_been(
    place: Path, digits: Path, lines: int, number: signal.Signals, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    process = start("fit", digits, *ASKED, "--out", out, folder=place)
    run = out / "digits-1"
    wait_for(process, run / "history.jsonl", lines) if lines else time.sleep(2)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == (-9 if number == signal.SIGKILL else 143)
    if number == signal.SIGTERM:
        assert "Traceback" not in errors
        assert "--resume" in errors.splitlines()[-1]
        assert (run / "checkpoints" / "last.safetensors").exists()
    if not (run / "asked.json").exists():
        pytest.skip("killed before there was a run")
    resumed = linne("fit", "--resume", run, folder=place)
    assert resumed.returncode == 0, resumed.stderr
    assert ended(run) == ended(place / "runs" / "digits-1")


def test_two_processes_in_one_run(walked: Path, tmp_path: Path, call: Call) -> None:
    run = tmp_path / "run"
    shutil.copytree(walked, run)
    facts = json.loads((run / "run.json").read_text())
    assert facts["finished"]
    (run / "run.json").unlink()
    before = state_of(run)
    with alone_in(run):
        done = call("fit", "--resume", run, folder=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert state_of(run) == before


def test_a_finished_run_is_left_as_it_is(walked: Path, tmp_path: Path, call: Call) -> None:
    before = state_of(walked)
    done = call("fit", "--resume", walked, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert state_of(walked) == before


def test_what_is_no_run_is_refused_and_left_alone(digits: Path, tmp_path: Path, call: Call) -> None:
    before = state_of(digits)
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "nowhere", digits, tmp_path / "file"):
        done = call("fit", "--resume", folder, folder=tmp_path)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
    assert state_of(digits) == before


@pytest.mark.parametrize("arguments", [(), ("photos", "--resume", "run")])
def test_photos_or_a_run(arguments: tuple[str, ...], tmp_path: Path, call: Call) -> None:
    assert call("fit", *arguments, folder=tmp_path).returncode == 2


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos, a store, and a run that was told to end."""
    folder = tmp_path_factory.mktemp("stopped")
    write_digits(folder / "photos", 12, 3)
    arguments = ("--budget", "none", "--set", "epochs=3000", "--set", "batch_size=8")
    process = start("fit", "photos", *arguments, folder=folder)
    wait_for(process, folder / "runs" / "photos-1" / "history.jsonl", 2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    return folder


@pytest.fixture
def copied(stopped: Path, tmp_path: Path) -> Path:
    """It again, to be spoilt: with photos of its own."""
    folder = tmp_path / "copied"
    shutil.copytree(stopped, folder)
    asked = folder / "runs" / "photos-1" / "asked.json"
    asked.write_text(asked.read_text().replace(str(stopped), str(folder)))
    return folder


def refused(call: Call, folder: Path) -> str:
    """Resuming gives one line, and the checkpoint is as it was."""
    run = folder / "runs" / "photos-1"
    state = run / "checkpoints" / "last.safetensors"
    before = state.read_bytes()
    done = call("fit", "--resume", run, folder=folder)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("linne: ")]
    assert "Traceback" not in done.stderr
    assert state.read_bytes() == before
    return line


def test_photos_that_have_changed_meanwhile(copied: Path, call: Call) -> None:
    photo = next((copied / "photos" / "1").iterdir())
    content = photo.read_bytes()
    photo.write_bytes(content + b"changed")
    assert "photos" in refused(call, copied)
    photo.rename(photo.with_name("another.png"))
    assert "photos" in refused(call, copied)


def test_damaged_files_of_a_run(copied: Path, call: Call) -> None:
    run = copied / "runs" / "photos-1"
    for name in ("checkpoints/last.safetensors", "asked.json", "plan.json"):
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[: len(content) // 2])
        assert Path(name).name in refused(call, copied)
        (run / name).write_bytes(content)


def test_an_edited_plan_is_not_that_of_the_checkpoint(copied: Path, call: Call) -> None:
    plan = copied / "runs" / "photos-1" / "plan.json"
    facts = json.loads(plan.read_text())
    facts["levels"][0]["learning_rate"] = 0.5
    plan.write_text(json.dumps(facts))
    assert "plan" in refused(call, copied)


def test_on_a_full_disk_the_checkpoint_stands(copied: Path) -> None:
    state = copied / "runs" / "photos-1" / "checkpoints" / "last.safetensors"
    before = state.read_bytes()
    done = linne("fit", "--resume", "runs/photos-1", folder=copied, preexec_fn=on_full_disk(3000))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert state.read_bytes() == before


def test_a_plan_is_done_again_to_the_byte(place: Path, digits: Path, tmp_path: Path) -> None:
    first = place / "runs" / "digits-1"
    done = linne("fit", digits, "--plan", first / "plan.json", "--out", tmp_path, folder=place)
    assert done.returncode == 0, done.stderr
    assert ended(tmp_path / "digits-1") == ended(first)


def test_a_plan_for_another_network_is_refused(place: Path, digits: Path, tmp_path: Path, call: Call) -> None:
    plan = place / "runs" / "digits-1" / "plan.json"
    done = call("fit", digits, "--plan", plan, "--network", "mobilenet_v2_035", "--out", "out", folder=tmp_path)
    assert done.returncode == 1
    assert len([line for line in done.stderr.splitlines() if line.startswith("linne: ")]) == 1
    assert not list(tmp_path.glob("out/*"))
