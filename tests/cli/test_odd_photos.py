"""Odd folders and odd places, from the command line: it works, or one line says why not and nothing is left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from full_disk import on_full_disk
from images import encode, place, scene
from walked import linne

Call = Callable[..., CompletedProcess[str]]


def photos(folder: Path, *classes: int, height: int = 32, width: int = 32) -> Path:
    """Classes of so many photos; no two are alike."""
    for label, images in enumerate(classes):
        for number in range(images):
            picture = scene(height, width, seed=1000 * label + number)
            place(folder / f"class{label}" / f"{number}.png", encode(picture, "PNG"))
    return folder


def refused(done: CompletedProcess[str], folder: Path) -> str:
    """The one line; no run is left behind."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("linne: ")]
    assert not list(folder.glob("runs/*"))
    return line


def works(done: CompletedProcess[str], folder: Path) -> None:
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "runs" / "photos-1" / "bundle" / "model.onnx").is_file()


QUICK = ("--budget", "none", "--set", "epochs=1")


def test_two_classes_of_one_image_each_are_refused(tmp_path: Path, call: Call) -> None:
    done = call("fit", photos(tmp_path / "photos", 1, 1), *QUICK, folder=tmp_path)
    assert "validation" in refused(done, tmp_path)


def test_one_class_is_refused(tmp_path: Path, call: Call) -> None:
    refused(call("fit", photos(tmp_path / "photos", 9), *QUICK, folder=tmp_path), tmp_path)


def test_equal_labels_of_a_table_are_refused(tmp_path: Path, call: Call) -> None:
    folder = photos(tmp_path / "photos", 6)
    rows = "".join(f"photos/class0/{number}.png,same\n" for number in range(6))
    (tmp_path / "table.csv").write_text("path,label\n" + rows)
    assert folder.is_dir()
    refused(call("fit", tmp_path / "table.csv", *QUICK, folder=tmp_path), tmp_path)


def test_a_class_with_one_image_trains(tmp_path: Path, lenet_weights: Path) -> None:
    folder = photos(tmp_path / "photos", 12, 12, 1)
    works(linne("fit", folder, "--weights", lenet_weights, *QUICK, folder=tmp_path), tmp_path)


@pytest.mark.parametrize(("height", "width"), [(1, 1), pytest.param(20, 20_000, marks=pytest.mark.slow)])
def test_tiny_and_long_images(height: int, width: int, tmp_path: Path, lenet_weights: Path) -> None:
    for label in range(2):
        for number in range(8):
            picture = scene(height, width, seed=100 * label + number)
            place(tmp_path / "photos" / "ab"[label] / f"{number}.png", encode(picture, "PNG"))
    done = linne("fit", tmp_path / "photos", "--weights", lenet_weights, *QUICK, folder=tmp_path)
    works(done, tmp_path)


def test_a_validation_folder_without_one_of_the_classes(tmp_path: Path, lenet_weights: Path) -> None:
    photos(tmp_path / "photos" / "train", 9, 9, 9)
    photos(tmp_path / "photos" / "validation", 4, 4)
    works(linne("fit", tmp_path / "photos", "--weights", lenet_weights, *QUICK, folder=tmp_path), tmp_path)


def test_a_budget_of_a_second_is_refused(tmp_path: Path, call: Call) -> None:
    line = refused(call("fit", photos(tmp_path / "photos", 9, 9), "--budget", "1s", folder=tmp_path), tmp_path)
    assert "--budget" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_may_not_be_written(tmp_path: Path, call: Call) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    done = call("fit", photos(tmp_path / "photos", 9, 9), *QUICK, "--out", "closed/runs", folder=tmp_path)
    refused(done, tmp_path)


def test_a_file_in_the_place_of_runs(tmp_path: Path, call: Call) -> None:
    (tmp_path / "file").write_text("mine")
    done = call("fit", photos(tmp_path / "photos", 9, 9), *QUICK, "--out", "file/runs", folder=tmp_path)
    refused(done, tmp_path)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("limit", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_disk_that_is_full_in_training(limit: int, tmp_path: Path) -> None:
    done = linne("fit", photos(tmp_path / "photos", 20, 20), *QUICK, folder=tmp_path, preexec_fn=on_full_disk(limit))
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("linne: ")]) == 1
