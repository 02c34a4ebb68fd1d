"""The road from whatever holds the photos: an archive, a table; the same images give the same numbers."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from walked import linne as command
from walked import write_digits

import linne
from linne.records.errors import DataError
from linne.records.index import TEST, Index
from linne.records.run import Run
from linne.records.split import Split


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of digits, in ``digits/`` with ``digits.csv`` and ``digits.zip`` beside it."""
    home = tmp_path_factory.mktemp("home")
    write_digits(home / "digits", a_class=16, classes=3)
    files = sorted((home / "digits").rglob("*.png"))
    lines = [f"{path.relative_to(home)},{path.parent.name}" for path in files]
    (home / "digits.csv").write_text("\n".join(["file name,kind", *lines]))
    with zipfile.ZipFile(home / "digits.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(home))
    return home


def test_fit_and_evaluate_on_a_zip(photos: Path, lenet_weights: Path, store: Path, tmp_path: Path) -> None:
    shutil.copy(photos / "digits.zip", tmp_path / "digits.zip")
    run = linne.fit(tmp_path / "digits.zip", weights=lenet_weights, budget=30, cache=store, out=tmp_path / "runs")
    assert run.folder.name == "digits-1"
    split, index = Split.read(run.split), Index.read(run.index)
    assert linne.evaluate(run.folder).images == len(split.rows(TEST))
    folder = linne.fit(photos / "digits", weights=lenet_weights, budget=30, cache=store, out=tmp_path / "runs")
    assert folder.facts["embedded"]["computed"] == 0  # the same bytes
    assert index.labels == Index.read(folder.index).labels

    content = (tmp_path / "digits.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "digits.zip", "a") as archive:
        archive.writestr("more", b"x")
    with pytest.raises(DataError):
        linne.evaluate(run.folder)
    (tmp_path / "digits.zip").unlink()
    openings = len(Run.open(run.folder).facts["openings"])
    with pytest.raises(DataError):
        linne.evaluate(run.folder)
    assert len(Run.open(run.folder).facts["openings"]) == openings  # nothing was there to look at
    (tmp_path / "digits.zip").write_bytes(content)
    assert linne.evaluate(run.folder).images == len(split.rows(TEST))


@pytest.mark.slow
def test_the_command_line_takes_a_table(photos: Path, lenet_weights: Path, tmp_path: Path) -> None:
    asked = (photos / "digits.csv", "--label-column", "kind", "--weights", lenet_weights)
    done = command("fit", *asked, "--budget", "30s", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert Index.read(Run.open(run).index).labels == ("0", "1", "2")
    done = command("evaluate", run, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    done = command("audit", photos / "digits.csv", "--weights", lenet_weights, folder=tmp_path)
    assert done.returncode == 1  # no column that is known by its name
    assert "file name, kind" in done.stderr
    done = command("audit", *asked, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "digits-audit" / "findings.parquet").is_file()
