"""A kill or a full disk leaves the old file or the new one, never half of either."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from linne.records.atomic import read_json, replacing, write_json, write_text
from linne.records.errors import RunError, WriteError

OLD = '{"old": true}'

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from linne.records.atomic import write_json
from linne.records.errors import WriteError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_json(Path(sys.argv[1]), ["x" * 100] * 1000)
except WriteError as error:
    print(error.file)
    sys.exit(3)
"""

FULL_DISK_TABLE = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from linne.records.errors import WriteError
from linne.records.parquet import write_table

values = np.random.default_rng(0).integers(0, 1 << 60, 100_000)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_table(Path(sys.argv[1]), "numbers", 1, {"values": values}, {})
except WriteError as error:
    print(error.file)
    sys.exit(3)
"""

KILLED = """
import sys, time
from pathlib import Path
from linne.records.atomic import replacing

with replacing(Path(sys.argv[1])) as part:
    part.write_text("half of the n")
    print("writing", flush=True)
    time.sleep(60)
"""


def run(script: str, path: Path) -> subprocess.Popen[str]:
    import linne.records.atomic

    source = str(Path(linne.records.atomic.__file__).parents[2])
    paths = os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", script, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths})


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    path.write_text(OLD)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes there")
@pytest.mark.parametrize("script", [FULL_DISK, FULL_DISK_TABLE])
def test_a_full_disk_leaves_the_old_file(old: Path, script: str) -> None:
    with run(script, old) as process:
        said = process.communicate(timeout=30)[0]
    assert process.returncode == 3
    assert said.strip() == str(old)
    assert old.read_text() == OLD
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_kill_in_the_middle_leaves_the_old_file(old: Path) -> None:
    with run(KILLED, old) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
    assert old.read_text() == OLD
    write_text(old, "new")
    assert old.read_text() == "new"


def test_an_error_of_the_writer_leaves_the_old_file_and_no_other(old: Path) -> None:
    with pytest.raises(ZeroDivisionError), replacing(old) as part:
        part.write_text(f"half {1 / 0}")
    assert old.read_text() == OLD
    assert list(old.parent.iterdir()) == [old]


def test_folders_above_are_made(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "b" / "c.json", {"x": 1})
    assert read_json(tmp_path / "a" / "b" / "c.json", RunError, "") == {"x": 1}


@pytest.mark.parametrize("place", ["run.json/below", "x" * 250, "folder"])
def test_a_place_that_cannot_be_written_is_a_write_error(old: Path, place: str) -> None:
    (old.parent / "folder").mkdir()
    with pytest.raises(WriteError) as caught:
        write_text(old.parent / place, "new")
    assert caught.value.file == str(old.parent / place)
    assert old.read_text() == OLD


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}])
def test_numbers_that_json_has_not_are_refused(old: Path, value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(old, value)
    assert old.read_text() == OLD


def test_file_names_that_are_not_utf8_are_kept(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n")
    write_json(tmp_path / "x.json", {"root": name, "emoji": "🐈"})
    assert read_json(tmp_path / "x.json", RunError, "") == {"root": name, "emoji": "🐈"}
    assert "🐈" in (tmp_path / "x.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"null", b"\xff", b'{"a": NaN}', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"],
)
def test_what_holds_no_json_object_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_json(path, RunError, "do it again")
    assert caught.value.file == str(path)
    assert caught.value.remedy == "do it again"


def test_a_file_that_is_gone_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.json", tmp_path):
        with pytest.raises(RunError):
            read_json(path, RunError, "")
