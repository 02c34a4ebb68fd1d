"""The test set is opened knowingly, and all that answer agree."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import linne
from linne.records.errors import BundleError, DataError, RunError
from linne.records.evaluation import Evaluation
from linne.records.index import TEST, TRAIN, Index
from linne.records.run import Run
from linne.records.split import Split
from linne.serve.app import create_app


@pytest.fixture
def run(walked: Path, tmp_path: Path) -> Run:
    """A copy of the walked run, to open and to damage."""
    shutil.copytree(walked, tmp_path / "run")
    return Run.open(tmp_path / "run")


def test_every_opening_is_noted(run: Run) -> None:
    for number in (1, 2):
        linne.evaluate(run.folder)
        openings = Run.open(run.folder).facts["openings"]
        assert len(openings) == number
        assert openings[-1]["bundle"] == run.facts["fingerprints"]["bundle"]


def test_scores_are_those_of_the_test_images(run: Run) -> None:
    evaluation = linne.evaluate(run.folder)
    split, index = Split.read(run.split), Index.read(run.index)
    rows = pq.read_table(run.predictions).to_pylist()
    assert {row["path"] for row in rows} == {index.path(int(row)) for row in split.rows(TEST)}
    assert evaluation.images == len(rows)
    right = np.mean([row["label"] == row["predicted"] for row in rows])
    assert evaluation.measures["accuracy"].value == pytest.approx(right)
    assert evaluation.measures["accuracy"].low <= right <= evaluation.measures["accuracy"].high
    assert Evaluation.read(run.evaluation) == evaluation


def test_evaluate_predict_and_serve_agree(run: Run, digits: Path) -> None:
    linne.evaluate(run.folder)
    rows = pq.read_table(run.predictions).to_pylist()[:20]
    predictor = linne.load(run.bundle)
    predicted = predictor.predict([digits / row["path"] for row in rows])
    with TestClient(create_app(predictor), base_url="http://127.0.0.1") as client:
        served = [client.post("/predict", content=(digits / row["path"]).read_bytes()).json() for row in rows]
    for row, one, other in zip(rows, predicted, served, strict=True):
        for label, probability in zip(predictor.labels, row["probabilities"], strict=True):
            assert one.probabilities[label] == pytest.approx(probability, abs=1e-4)
            assert other["probabilities"][label] == pytest.approx(probability, abs=1e-4)


def test_a_test_image_that_is_gone_is_left_out_and_told_of(
    run: Run, digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    shutil.copytree(digits, photos)
    own = linne.fit(photos, weights=lenet_weights, budget=60, cache=store, out=tmp_path / "runs")
    split, index = Split.read(own.split), Index.read(own.index)
    Path(index.root, index.path(int(split.rows(TEST)[0]))).unlink()
    evaluation = linne.evaluate(own.folder)
    assert evaluation.images == len(split.rows(TEST)) - 1
    assert len(evaluation.notes) == 1
    rows = split.rows(TEST)
    shutil.copy(Path(index.root, index.path(int(split.rows(TRAIN)[0]))), Path(index.root, index.path(int(rows[1]))))
    changed = linne.evaluate(own.folder)
    assert changed.images == len(rows) - 2
    assert len(changed.notes) == 2
    shutil.rmtree(photos)
    with pytest.raises(DataError):
        linne.evaluate(own.folder)


def test_no_run_no_evaluation(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        linne.evaluate(tmp_path / "gone")
    with pytest.raises(RunError):
        linne.evaluate(tmp_path)


@pytest.mark.parametrize("part", ["index.parquet", "split.parquet", "run.json"])
def test_a_damaged_part_is_refused(run: Run, part: str) -> None:
    path = run.folder / part
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RunError):
        linne.evaluate(run.folder)


def test_a_split_of_another_run_is_refused(run: Run, digits: Path, lenet_weights: Path, store: Path) -> None:
    other = linne.fit(digits, weights=lenet_weights, budget=60, cache=store, out=run.folder / "o", seed=5)
    shutil.copy(other.split, run.split)
    with pytest.raises(RunError):
        linne.evaluate(run.folder)


def test_a_bit_flipped_in_the_bundle_is_refused(run: Run) -> None:
    model = run.bundle / "model.onnx"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    with pytest.raises(BundleError):
        linne.evaluate(run.folder)
    assert Run.open(run.folder).facts["openings"] == []


@pytest.mark.parametrize("part", ["findings.parquet", "validation.json"])
def test_what_the_report_lacks_is_told_before_the_test_set_is_opened(run: Run, part: str) -> None:
    (run.folder / part).unlink()
    with pytest.raises(RunError):
        linne.evaluate(run.folder)
    assert Run.open(run.folder).facts["openings"] == []


def test_a_damaged_evaluation_is_made_again(run: Run) -> None:
    linne.evaluate(run.folder)
    run.evaluation.write_text("{}")
    assert Evaluation.read(run.folder / "validation.json").bundle == linne.evaluate(run.folder).bundle


def test_an_altered_diary_is_refused(run: Run) -> None:
    diary = run.folder / "run.json"
    diary.write_text(diary.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(RunError):
        linne.evaluate(run.folder)


def test_a_run_that_was_not_finished_says_so(run: Run) -> None:
    shutil.rmtree(run.bundle)
    with pytest.raises(RunError) as caught:
        linne.evaluate(run.folder)
    assert "linne fit" in str(caught.value.remedy)
