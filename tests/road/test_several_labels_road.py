"""The whole road of images with several labels: from a table to answers over HTTP."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from scipy.special import expit
from several_digits import CLASSES, write_several_digits
from sklearn.metrics import average_precision_score, f1_score
from walked import linne as command

import linne
from linne.records.bundle import Bundle
from linne.records.errors import LinneError, RunError
from linne.records.evaluation import Evaluation
from linne.records.findings import Findings
from linne.records.index import TEST, Index
from linne.records.plan import Plan
from linne.records.run import Run
from linne.records.split import Split
from linne.records.truth import task_of, truth_of
from linne.serve.app import create_app

QUICK = {"precision": "float32", "lanes": 1, "channels_last": True}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With two copies of one image, under other labels."""
    table = write_several_digits(tmp_path_factory.mktemp("several") / "digits")
    shutil.copy(table.with_name("0000.png"), table.with_name("copy.png"))
    table.write_text(table.read_text() + "copy.png,digit 0|digit 3\n")
    return table


@pytest.fixture(scope="module")
def run(table: Path, lenet_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A probe, and the last stages trained for an epoch; its test set has been opened."""
    folder = tmp_path_factory.mktemp("runs")
    chosen = {**QUICK, "method": "stages", "frozen_stages": 1, "epochs": 2, "learning_rate": 1e-4}
    made = linne.fit(table, weights=lenet_weights, budget=None, recipe=chosen, cache=folder / "store", out=folder)
    linne.evaluate(made.folder)
    return Run.open(made.folder)


def test_the_road_ends_well_above_chance(run: Run) -> None:
    for file in (run.validation, run.evaluation):
        evaluation = Evaluation.read(file)
        share = np.mean([score.images / evaluation.images for score in evaluation.classes])
        assert evaluation.task == "multi"
        assert evaluation.measures["mean_average_precision"].value > share + 0.3
        assert evaluation.measures["mean_average_precision"].low > share + 0.1
        assert evaluation.measures["hamming_loss"].value < 0.25
        assert evaluation.confusion == ()
        assert all(score.threshold is not None for score in evaluation.classes)


def test_the_run_says_what_it_did(run: Run) -> None:
    lines = [json.loads(line) for line in run.history.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1, 2]
    best = max(line["average_precision"] for line in lines)
    assert run.facts["chosen"]["average_precision"] == best >= run.facts["probe"]["average_precision"] - 0.01
    plan = Plan.read(run.plan)
    assert [level.label_smoothing for level in plan.levels] == [0.0]
    assert any("several labels" in reason for reason in plan.reasons)


def test_the_bundle_and_the_scores_are_those_of_its_own_predictions(run: Run) -> None:
    index, split, bundle = Index.read(run.index), Split.read(run.split), Bundle.read(run.bundle)
    assert task_of(index) == bundle.task == "multi"
    assert len(bundle.thresholds) == CLASSES
    predictions = pq.read_table(run.predictions).to_pydict()
    truth = truth_of(index, split.rows(TEST))
    assert predictions["path"] == [index.path(int(row)) for row in split.rows(TEST)]
    assert predictions["labels"] == [[index.labels[i] for i in np.flatnonzero(row)] for row in truth]
    p = np.array(predictions["probabilities"])
    said = p >= np.array(bundle.thresholds)
    assert predictions["predicted"] == [[index.labels[i] for i in np.flatnonzero(row)] for row in said]
    measures = Evaluation.read(run.evaluation).measures
    assert measures["mean_average_precision"].value == pytest.approx(average_precision_score(truth, p))
    assert measures["macro_f1"].value == pytest.approx(f1_score(truth, said, average="macro"))
    predictor = linne.load(run.bundle)
    contents = [index.content(int(row)) for row in split.rows(TEST)]
    logits = np.stack(list(predictor.logits_of(contents))).astype(np.float64)
    np.testing.assert_allclose(p, expit(logits / bundle.temperature), atol=1e-9)


def test_copies_with_other_labels_are_told_and_labels_are_not_judged(run: Run) -> None:
    findings = Findings.read(run.findings)
    told = {row.check: row for row in findings.rows if "copy.png" in (row.path, row.other)}
    assert {told["two labels"].label, told["two labels"].suggestion} == {
        "digit 0, digit 3",
        Index.read(run.index).label_of(0),
    }
    assert not {"label doubt", "alike classes", "shortcut"} & set(findings.counts())
    assert any("not judged" in note for note in findings.notes)
    with pytest.raises(RunError):
        linne.apply(run.folder)


def test_the_report_has_what_several_labels_need(run: Run) -> None:
    page = run.report.read_text()
    for text in ("mean average precision", "Hamming loss", "Every label right", "digit 3"):
        assert text in page
    assert "Confusion matrix" not in page
    assert "most frequent mistakes" not in page


def test_answers_from_the_command_line_and_over_http(run: Run, table: Path, tmp_path: Path) -> None:
    image, bundle = table.with_name("0001.png"), Bundle.read(run.bundle)
    (answer,) = json.loads(command("predict", run.bundle, image, "--json", folder=tmp_path).stdout)
    assert answer["task"] == "multi"
    thresholds = dict(zip(bundle.labels, bundle.thresholds, strict=True))
    said = [label for label, p in answer["probabilities"].items() if p >= thresholds[label]]
    assert answer["labels"] == said  # likeliest first, as probabilities are
    assert answer["label"] == next(iter(answer["probabilities"]))
    line = command("predict", run.bundle, image, folder=tmp_path).stdout
    assert all(f"{answer['probabilities'][label]:.3f} {label}" in line for label in said)
    client = TestClient(create_app(linne.load(run.bundle), hosts=None))
    over_http = client.post("/predict", content=image.read_bytes()).json()
    assert over_http["labels"] == said
    assert over_http["task"] == client.get("/model").json()["task"] == "multi"


def test_what_has_no_meaning_for_several_labels_is_refused(table: Path, run: Run, tmp_path: Path) -> None:
    for options in ({"recipe": {**QUICK, "epochs": 1, "balance": "sampling"}}, {"teacher": run.folder}):
        with pytest.raises(LinneError):
            linne.fit(table, network="lenet5", budget=None, cache=tmp_path, out=tmp_path / "runs", **options)
    for refused, options in ((linne.race, {"out": tmp_path / "race"}), (linne.tune, {"folder": tmp_path / "tune"})):
        with pytest.raises(LinneError) as caught:
            refused(table, networks=["lenet5"], cache=tmp_path, **options)
        assert caught.value.file == str(table)
    assert not (tmp_path / "race").exists()
    assert not (tmp_path / "tune").exists()


def test_an_audit_of_several_labels(table: Path, tmp_path: Path) -> None:
    found = linne.audit(table, cache=tmp_path, out=tmp_path / "audit")
    assert found.counts()["two labels"] == 1
    assert (tmp_path / "audit" / "report.html").is_file()
    done = command("review", tmp_path / "audit", folder=tmp_path)
    assert done.returncode == 1
    assert "several labels" in done.stderr


@pytest.mark.slow
def test_a_network_learns_several_labels_from_scratch(table: Path, tmp_path: Path) -> None:
    recipe = {**QUICK, "epochs": 40, "balance": "weights", "mix": False}
    run = linne.fit(table, network="lenet5", budget=None, recipe=recipe, cache=tmp_path, out=tmp_path / "runs")
    found = Evaluation.read(run.validation)
    share = np.mean([score.images / found.images for score in found.classes])
    assert found.measures["mean_average_precision"].value > share + 0.2
    mixed = {**recipe, "epochs": 2, "mix": True}
    linne.fit(table, network="lenet5", budget=None, recipe=mixed, cache=tmp_path, out=tmp_path / "runs")
