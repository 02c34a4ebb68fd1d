"""`linne audit --apply` and `--export-csv` on an audit that exists already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from audited_photos import write_audit, write_photos
from typer.testing import CliRunner
from walked import linne as command
from walked import state_of

from linne.cli.audit import app as audit_command
from linne.index.photos import read_photos
from linne.records.decision_log import DecisionLog
from linne.records.decisions import Decision
from linne.records.errors import RunError
from linne.records.index import Index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An audit with one decision."""
    made = write_audit(tmp_path / "audit", read_photos(write_photos(tmp_path / "photos")))
    with DecisionLog(made / "decisions.sqlite") as log:
        log.decide([Decision("relabel", "label doubt", "train/cat/3.jpg", "cat", "dog")], who="anna", index="")
    return made


@pytest.mark.slow
def test_the_command_line_applies_and_exports(folder: Path, tmp_path: Path) -> None:
    done = command("audit", "audit", "--apply", "--export-csv", "found.csv", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["corrections"]["relabelled"], said["csv"]) == (1, "found.csv")
    assert Index.read(tmp_path / said["file"]).corrections is not None
    done = command("audit", "--apply", "audit", "--out", "new.parquet", folder=tmp_path)
    assert "1 relabelled" in done.stdout
    assert (tmp_path / "new.parquet").is_file()
    done = command("audit", "audit", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "linne review" in done.stderr


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (["--apply", "--weights", "w.safetensors"], "--weights"),
        (["--apply", "--seed", "0"], "--seed"),
        (["--export-csv", "found.csv", "--label-column", "kind"], "--label-column"),
        (["--export-csv", "found.csv", "--out", "new"], "--out"),
    ],
)
def test_options_that_a_finished_audit_has_no_use_for_are_refused(given: list[str], hint: str, folder: Path) -> None:
    before = state_of(folder)
    done = CliRunner().invoke(audit_command, [str(folder), *given])
    assert done.exit_code == 2
    assert hint in done.output
    assert state_of(folder) == before
    done = CliRunner().invoke(audit_command, [str(folder.parent / "photos"), "--apply", "--seed", "0"])
    assert isinstance(done.exception, RunError)  # it is no audit: that comes first
