"""From a folder to a bundle."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from walked import state_of, write_digits

import linne
from linne.records.bundle import MODEL, Bundle
from linne.records.errors import DataError, LinneError
from linne.records.evaluation import Evaluation
from linne.records.findings import Findings
from linne.records.index import SUBSETS, Index
from linne.records.progress import Silent
from linne.records.run import Run
from linne.records.split import Split


def test_a_run_leaves_everything_that_the_next_steps_read(walked: Path) -> None:
    run = Run.open(walked)
    index, split = Index.read(run.index), Split.read(run.split)
    assert len(index) == 320
    assert split.index == index.fingerprint == Findings.read(run.findings).index
    assert {SUBSETS[i] for i in np.unique(split.subset)} == {"train", "validation", "test"}
    assert Evaluation.read(run.validation).images == len(split.rows(2))
    assert run.report.stat().st_size > 10_000
    assert run.checkpoint.is_file()
    history = [json.loads(line) for line in run.history.read_text().splitlines()]
    assert [line["epoch"] for line in history] == list(range(len(history)))


def test_training_starts_from_the_probe_and_never_ends_below_it(walked: Path) -> None:
    facts = Run.open(walked).facts
    history = [json.loads(line) for line in Run(walked).history.read_text().splitlines()]
    assert [level["method"] for level in facts["plan"]["levels"]] == ["stages"]
    assert history[0]["accuracy"] == pytest.approx(facts["probe"]["accuracy"], abs=0.03)  # float16 activations
    assert facts["chosen"]["accuracy"] == max(line["accuracy"] for line in history) >= facts["probe"]["accuracy"]
    assert facts["chosen"]["accuracy"] > 0.85


def test_every_record_names_the_bundle_that_is_there(walked: Path) -> None:
    run = Run.open(walked)
    bundle = Bundle.read(run.bundle).fingerprint
    assert Evaluation.read(run.validation).bundle == bundle
    assert run.facts["fingerprints"]["bundle"] == bundle


def test_fit_leaves_the_test_set_sealed(walked: Path) -> None:
    run = Run.open(walked)
    assert run.facts["openings"] == []
    assert not run.evaluation.exists()
    assert not run.predictions.exists()


def test_same_seed_same_numbers(walked: Path, digits: Path, lenet_weights: Path, store: Path, tmp_path: Path) -> None:
    again = linne.fit(digits, weights=lenet_weights, budget=60, cache=store, out=tmp_path)
    first = Run.open(walked)
    assert again.facts["embedded"]["computed"] == 0
    assert again.facts["chosen"] == first.facts["chosen"]
    assert again.facts["fingerprints"]["split"] == first.facts["fingerprints"]["split"]
    assert (again.bundle / MODEL).read_bytes() == (first.bundle / MODEL).read_bytes()
    assert Evaluation.read(again.validation).measures == Evaluation.read(first.validation).measures


def test_another_seed_splits_otherwise(
    walked: Path, digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    other = linne.fit(digits, weights=lenet_weights, budget=60, cache=store, out=tmp_path, seed=1)
    assert (Split.read(other.split).subset != Split.read(Run(walked).split).subset).any()


def test_without_weights_a_network_learns_from_scratch(digits: Path, store: Path, tmp_path: Path) -> None:
    run = linne.fit(digits, budget=40, cache=store, out=tmp_path)
    assert [level["method"] for level in run.facts["plan"]["levels"]] == ["scratch"]
    assert run.facts["plan"]["network"] == "lenet5"
    assert "probe" not in run.facts
    history = [json.loads(line) for line in run.history.read_text().splitlines()]
    assert run.facts["chosen"]["accuracy"] > history[0]["accuracy"] + 0.4


def test_the_images_are_left_as_they_were(digits: Path, lenet_weights: Path, tmp_path: Path) -> None:
    before = state_of(digits)
    linne.fit(digits, weights=lenet_weights, budget=30, cache=tmp_path / "store", out=tmp_path / "runs")
    linne.audit(digits, cache=tmp_path / "store")
    assert state_of(digits) == before


def test_a_budget_that_holds_nothing_is_refused_before_anything_is_written(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(LinneError) as caught:
        linne.fit(digits, budget="1s", cache=tmp_path / "store", out=tmp_path / "runs")
    assert "--budget" in str(caught.value.remedy)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("budget", ["", "soon", "-3s", "0", "10 years", "nan", "1e400"])
def test_rubbish_is_no_budget(digits: Path, tmp_path: Path, budget: str) -> None:
    with pytest.raises(LinneError) as caught:
        linne.fit(digits, budget=budget, cache=tmp_path, out=tmp_path)
    assert caught.value.value == budget


def test_a_class_with_one_image_trains_and_is_told_of(tmp_path: Path, lenet_weights: Path, digits: Path) -> None:
    photos = write_digits(tmp_path / "photos", a_class=12, classes=3)
    (photos / "rare").mkdir()
    (photos / "rare" / "one.png").write_bytes(next((digits / "7").iterdir()).read_bytes())
    run = linne.fit(photos, weights=lenet_weights, budget=30, cache=tmp_path / "store", out=tmp_path / "runs")
    index, split = Index.read(run.index), Split.read(run.split)
    assert index.labels == ("0", "1", "2", "rare")
    assert [SUBSETS[i] for i in split.subset[index.label == 3]] == ["train"]
    assert any(row.check == "small class" and "rare" in row.reason for row in Findings.read(run.findings).rows)
    assert len(linne.load(run.bundle).labels) == 4


def test_groups_by_name_stay_together(digits: Path, lenet_weights: Path, store: Path, tmp_path: Path) -> None:
    run = linne.fit(digits, weights=lenet_weights, budget=60, cache=store, out=tmp_path, group_by=r"^(\d\d\d)\d")
    index, split = Index.read(run.index), Split.read(run.split)
    tens = np.array([path.rsplit("/", 1)[-1][:3] for path in index.paths.to_pylist()])
    assert all(len(np.unique(split.subset[tens == ten])) == 1 for ten in np.unique(tens))


def test_named_groups_that_a_supplied_split_tears_apart_are_told(
    lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    write_digits(tmp_path / "all", a_class=12, classes=2)
    for label in "01":
        for number, path in enumerate(sorted((tmp_path / "all" / label).iterdir())):
            where = "test" if number >= 9 else "train"
            target = tmp_path / "photos" / where / label / f"patient{number % 6}_{number}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    photos = tmp_path / "photos"
    run = linne.fit(photos, weights=lenet_weights, budget=30, cache=store, out=tmp_path, group_by=r"patient\d")
    torn = [row for row in Findings.read(run.findings).rows if row.check == "leak"]
    assert {row.path.split("/")[0] for row in torn} == {"test"}
    assert len(torn) == 6  # every test image of three patients
    split = Split.read(run.split)
    dealt = Index.read(run.index).subset == 1  # validation comes out of train, whole patients only
    for patient in np.unique(split.group[dealt]):
        assert len(np.unique(split.subset[dealt & (split.group == patient)])) == 1


def test_a_supplied_split_is_kept(lenet_weights: Path, store: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write_digits(tmp_path / "all", a_class=20, classes=3)
    for label in "012":
        for number, path in enumerate(sorted((tmp_path / "all" / label).iterdir())):
            where = ("train", "val", "test")[0 if number < 12 else 1 if number < 16 else 2]
            target = photos / where / label / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    run = linne.fit(photos, weights=lenet_weights, budget=30, cache=store, out=tmp_path / "runs")
    index, split = Index.read(run.index), Split.read(run.split)
    assert split.supplied
    assert (split.subset == index.subset).all()
    assert [len(split.rows(subset)) for subset in (1, 2, 3)] == [36, 12, 12]


def test_weights_of_another_network_and_no_images(digits: Path, lenet_weights: Path, tmp_path: Path) -> None:
    with pytest.raises(LinneError):
        linne.fit(digits, weights=lenet_weights, network="mobilenet_v2", cache=tmp_path, out=tmp_path)
    with pytest.raises(DataError):
        linne.fit(tmp_path / "nowhere", cache=tmp_path, out=tmp_path)


def test_the_budget_counts_from_where_the_caller_says(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(LinneError):
        linne.fit(digits, budget=60, cache=tmp_path, out=tmp_path, started=time.monotonic() - 59)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0"])
def test_rubbish_is_no_seed(digits: Path, tmp_path: Path, seed: object) -> None:
    for step in (linne.fit, linne.audit):
        with pytest.raises(LinneError) as caught:
            step(digits, seed=seed, cache=tmp_path)
        assert caught.value.value == seed


def test_an_untrained_network_is_not_shipped(digits: Path, store: Path, tmp_path: Path) -> None:
    """Interrupted before the first epoch ended: there is nothing but the random start."""

    class Impatient(Silent):
        step = ""

        def start(self, step: str, total: float, unit: str) -> None:
            self.step = step

        def update(self, done: float, note: str = "") -> None:
            if self.step == "train":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        linne.fit(digits, budget=60, cache=store, out=tmp_path, progress=Impatient())
    assert not list(tmp_path.rglob("bundle.json"))
