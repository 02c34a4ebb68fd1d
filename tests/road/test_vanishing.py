"""Images that vanish or change in the middle of a run: named, left out, and the run goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from images import encode
from small_networks import small_pixels
from torch import Tensor, nn
from toy_training import RECIPE
from toy_training import Run as ToyRun
from walked import write_digits

import linne
from linne.fit.order import Order
from linne.fit.sources import CachedActivations
from linne.index.class_folders import read_folder
from linne.records.errors import DataError
from linne.records.evaluation import Evaluation
from linne.records.fingerprint import of_bytes
from linne.records.index import TRAIN, VALIDATION
from linne.records.progress import Silent
from linne.records.run import Run
from linne.records.split import Split
from linne.road.validating import on_files


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


DARK, BRIGHT = 0, 1


class Brightness(nn.Module):
    """Tells classes by the mean of an image; at first every image is dark."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 2)
        with torch.no_grad():
            self.layer.weight.zero_()
            self.layer.bias.copy_(torch.tensor([0.1, -0.1]))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.mean((1, 2, 3))[:, None])


class Removing(Silent):
    """Removes files when training starts."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def start(self, step: str, total: float, unit: str) -> None:
        for file in self.files:
            file.unlink()


def trained_while_six_of_ten_vanish(folder: Path, learning_rate: float) -> ToyRun:
    """The start is right on those that vanish alone; of the four that remain two are bright, two have a wrong label."""
    folder = folder / "photos"
    folder.mkdir()
    for label, intensities in (("a", [0] * 6), ("b", [255] * 2 + [0] * 2)):
        (folder / label).mkdir()
        for number, intensity in enumerate(intensities):
            # Each another file: bytes after the end of a PNG are nobody's.
            content = encode(np.full((8, 8), intensity, np.uint8), "PNG") + bytes([number])
            (folder / label / f"{number}.png").write_bytes(content)
    index, pixels = read_folder(folder), small_pixels(8)
    digest = np.stack([np.frombuffer(of_bytes(index.content(row).read()), np.uint8) for row in range(10)])
    taught = np.repeat([DARK, BRIGHT], 8)
    activations = np.where(taught == BRIGHT, 2, -2).astype(np.float16)[:, None, None, None]
    run = ToyRun(folder.parent, epochs=10, levels=(replace(RECIPE, learning_rate=learning_rate),), make=Brightness)
    run.source = CachedActivations([activations], taught, Order.of(len(taught), 4, 0))
    run.labels = index.label.astype(np.int64)
    run.validate = on_files(index, np.arange(10), digest, pixels, {})
    run.go(progress=Removing([folder / index.path(row) for row in np.flatnonzero(index.label == DARK).tolist()]))
    return run


def test_epochs_are_compared_on_the_images_that_are_left(tmp_path: Path) -> None:
    run = trained_while_six_of_ten_vanish(tmp_path, 0.05)
    assert run.done[0].accuracy == 0.6
    assert run.best.epoch > 0
    assert run.best.accuracy == 0.5


def test_the_best_is_told_by_the_images_that_are_left(tmp_path: Path) -> None:
    run = trained_while_six_of_ten_vanish(tmp_path, 1e-12)
    assert run.best.accuracy == run.done[-1].accuracy == 0
    assert run.best.log_loss == pytest.approx(run.done[-1].log_loss) == pytest.approx(np.log(1 + np.exp(0.2)))
