"""Does a run that was cut off go on as it was: its split, its diary, its clock, whatever it takes to get back to it?"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linne
from linne.fit import checkpoint
from linne.records.bundle import MODEL
from linne.records.epoch import Epoch
from linne.records.errors import RunError
from linne.records.index import Index
from linne.records.progress import Silent
from linne.records.run import Run
from linne.records.split import Split
from linne.road.budget import goes_on_from
from linne.road.fit import resume
from linne.split.assign import make_split

RECIPE = {"method": "stages", "epochs": 4, "batch_size": 32, "views": 2, "average": 0.3}


class _Killed(BaseException):
    """As a kill: nothing is written any more."""


class _DiesAfter(Silent):
    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def epoch(self, epoch: Epoch) -> None:
        if epoch.epoch == self._epoch:
            raise _Killed


class _Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def asked(digits: Path, lenet_weights: Path, store: Path, out: Path) -> dict[str, Any]:
    return {"photos": digits, "weights": lenet_weights, "budget": 60, "recipe": RECIPE, "cache": store, "out": out}


@pytest.fixture(scope="module")
def whole(digits: Path, lenet_weights: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was not cut off."""
    return linne.fit(**asked(digits, lenet_weights, store, tmp_path_factory.mktemp("whole")))


@pytest.fixture(scope="module")
def killed(
    whole: Run, digits: Path, lenet_weights: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same, killed after an epoch, its checkpoint written."""
    out = tmp_path_factory.mktemp("killed")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(checkpoint, "EVERY_SECONDS", 0.0)
        patched.setattr(checkpoint, "DEAREST_SHARE", 1e9)
        with pytest.raises(_Killed):
            linne.fit(**asked(digits, lenet_weights, store, out), progress=_DiesAfter(3))
    (folder,) = out.iterdir()
    assert Run(folder).state.exists()
    return folder


@pytest.fixture
def run(killed: Path, tmp_path: Path) -> Run:
    shutil.copytree(killed, tmp_path / killed.name)
    return Run(tmp_path / killed.name)


def test_what_it_takes_to_get_back_is_not_the_runs(whole: Run, run: Run) -> None:
    """Of a budget of 60 s, this process has used 59 before it trains."""
    told = _Told()
    done = resume(run.folder, progress=told, started=time.monotonic() - 59)
    assert done.facts["chosen"] == whole.facts["chosen"]
    assert done.facts["chosen"]["stopped"] == ""
    assert (done.bundle / MODEL).read_bytes() == (whole.bundle / MODEL).read_bytes()
    assert {f"plan: {reason}" for reason in whole.facts["plan"]["reasons"]} <= set(told.lines)


def test_its_clock_stands_until_it_is_asked() -> None:
    elapsed = goes_on_from(100.0)
    time.sleep(0.01)
    assert elapsed() == 100.0
    time.sleep(0.01)
    assert 100.01 <= elapsed() < 100.01 + 60


def test_the_deadline_stays(run: Run) -> None:
    diary = Run.open(run.folder)
    diary.facts["reserve"] = 7.25
    diary.write()
    assert resume(run.folder).facts["reserve"] == 7.25


def test_its_split_stays_though_this_network_would_split_otherwise(run: Run) -> None:
    run.state.unlink()
    index, digests = Index.read(run.index), Split.read_digests(run.split)
    other = make_split(index, np.arange(len(index)), np.ones(len(index), bool), 5)
    assert other.fingerprint != Split.read(run.split).fingerprint
    other.write(run.split, index.paths, digests)
    split, findings = run.split.read_bytes(), run.findings.read_bytes()
    done = resume(run.folder)
    assert done.facts["fingerprints"]["split"] == other.fingerprint
    assert (run.split.read_bytes(), run.findings.read_bytes()) == (split, findings)


def test_a_split_of_another_index_is_drawn_again(whole: Run, run: Run) -> None:
    run.state.unlink()
    index, digests = Index.read(run.index), Split.read_digests(run.split)
    split = Split.read(run.split)
    Split(split.subset, split.group, split.supplied, "another").write(run.split, index.paths, digests)
    assert resume(run.folder).facts["fingerprints"]["split"] == whole.facts["fingerprints"]["split"]


def test_the_diary_keeps_what_happened_to_the_run(run: Run) -> None:
    diary = Run.open(run.folder)
    kept = {"created": "2001-02-03T04:05:06+00:00", "openings": [{"time": "t", "bundle": "b"}], "reviews": [{"a": 1}]}
    diary.facts |= kept
    diary.write()
    done = Run.open(resume(run.folder).folder)
    assert {name: done.facts[name] for name in kept} == kept


def test_the_test_set_of_a_run_that_is_not_finished_stays_sealed(whole: Run, run: Run) -> None:
    shutil.copytree(whole.bundle, run.bundle)  # killed while the report was written
    shutil.copy(whole.validation, run.validation)
    before = Run.open(run.folder).facts
    with pytest.raises(RunError) as caught:
        linne.evaluate(run.folder)
    assert "--resume" in str(caught.value.remedy)
    assert Run.open(run.folder).facts == before
    assert not run.evaluation.exists()
