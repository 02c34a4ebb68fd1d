"""Images that vanish or change in the middle of a run: named, left out, and the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from walked import write_digits

import linne
from linne.records.errors import DataError
from linne.records.evaluation import Evaluation
from linne.records.index import TRAIN, VALIDATION
from linne.records.progress import Silent
from linne.records.run import Run
from linne.records.split import Split


class Meddling(Silent):
    """Does something to images of some subsets when training starts."""

    def __init__(self, photos: Path, runs: Path, takes: dict[int, slice]) -> None:
        self.photos, self.runs, self.takes = photos, runs, takes
        self.gone: set[str] = set()

    def start(self, step: str, total: float, unit: str) -> None:
        if step != "train":
            return
        run = Run(next(self.runs.iterdir()))
        index, split = linne.records.index.Index.read(run.index), Split.read(run.split)
        for subset, which in self.takes.items():
            for place, row in enumerate(split.rows(subset)[which].tolist()):
                file = self.photos / index.path(row)
                if place % 2:
                    file.write_bytes(next(self.photos.rglob("*.png")).read_bytes() + b"changed")
                else:
                    file.unlink()
                self.gone.add(index.path(row))


def fit(photos: Path, folder: Path, progress: Meddling) -> Run:
    return linne.fit(photos, out=folder / "runs", cache=folder / "cache", budget="25s", progress=progress)


def test_what_is_gone_is_named_and_what_remains_is_judged(tmp_path: Path) -> None:
    photos = write_digits(tmp_path / "photos", 12)
    progress = Meddling(photos, tmp_path / "runs", {TRAIN: slice(0, 4), VALIDATION: slice(0, 3)})
    run = fit(photos, tmp_path, progress)
    assert set(run.facts["chosen"]["left_out"]) == progress.gone
    assert len(progress.gone) == 7
    held = len(Split.read(run.split).rows(VALIDATION))
    assert Evaluation.read(run.validation).images == held - 3
    assert linne.load(run.bundle).labels


def test_with_nothing_left_to_judge_by_the_run_ends_in_one_sentence(tmp_path: Path) -> None:
    photos = write_digits(tmp_path / "photos", 12)
    progress = Meddling(photos, tmp_path / "runs", {VALIDATION: slice(None)})
    with pytest.raises(DataError) as told:
        fit(photos, tmp_path, progress)
    assert told.value.remedy
