"""Does tuning find a recipe, keep what it tried, and end in a run?"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from small_networks import SMALL, small_network, small_pixels
from tall_photos import tall_photos
from walked import environment
from walked import linne as command

import linne
from linne.nets.weights import write_weights
from linne.records.errors import InstallError, LinneError, RunError
from linne.records.plan import Plan
from linne.records.progress import Silent
from linne.records.trials import TrialLog
from linne.road.budget import Clock
from linne.road.look import gather
from linne.road.outlook import Asked
from linne.road.recipes import read_recipe
from linne.road.trials import Trials
from linne.road.tune import Tuned
from linne.road.tuning import Terms, agree, settled

pytest.importorskip("optuna")

FIXED = {"epochs": 2, "method": "stages", "precision": "float32", "lanes": 1, "channels_last": True}
GIVEN = [f"--set={name}={value}" for name, value in FIXED.items()]


def epochs(folder: Path) -> list[tuple[float, float]]:
    lines = map(json.loads, (folder / "history.jsonl").read_text().splitlines())
    return [(line["accuracy"], line["log_loss"]) for line in lines]


@pytest.fixture(scope="module")
def tuned(digits: Path, lenet_weights: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """Five trials, in two goes."""
    folder = tmp_path_factory.mktemp("tuned")
    tune(digits, lenet_weights, store, folder, 3)
    return tune(digits, lenet_weights, store, folder, 2)


def tune(digits: Path, weights: Path, store: Path, folder: Path, trials: int, **options: object) -> Tuned:
    given = {"recipe": FIXED, "weights": [weights], "budget": None, **options}
    return linne.tune(digits, trials=trials, folder=folder, cache=store, **given)  # type: ignore[arg-type]


def test_the_run_is_the_best_trial_again(tuned: Tuned) -> None:
    best = max((t for t in tuned.trials if t.score is not None), key=lambda t: (t.score or 0, -t.number))
    assert tuned.best == best
    assert tuned.trials[0].as_planned
    assert (tuned.best.score or 0) >= (tuned.trials[0].score or 0)
    assert epochs(tuned.run.folder) == epochs(tuned.folder / "trials" / str(best.number))
    assert best.epoch is not None
    assert epochs(tuned.run.folder)[best.epoch] == (best.accuracy, best.log_loss)
    assert tuned.run.report.exists()
    assert (tuned.run.bundle / "model.onnx").exists()


def test_no_trial_has_opened_the_test_set(tuned: Tuned) -> None:
    assert tuned.run.facts["openings"] == []
    assert not tuned.run.evaluation.exists()


def test_trials_in_two_goes_are_those_of_one(
    tuned: Tuned, digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    at_once = tune(digits, lenet_weights, store, tmp_path, 5)

    def told(one: Tuned) -> list[object]:
        return [(t.number, t.values, t.state, t.score, t.reported) for t in one.trials]

    assert told(at_once) == told(tuned)
    assert [t.number for t in tuned.trials] == [0, 1, 2, 3, 4]


def test_the_recipe_is_one_that_fit_takes(
    tuned: Tuned, digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    recipe = read_recipe(tuned.folder / "best.toml")
    (level,) = Plan.read(tuned.folder / "plan.json").levels
    assert {name: getattr(level, name) for name in recipe} == recipe
    assert "epochs" in recipe  # it was decided by hand
    run = linne.fit(digits, weights=lenet_weights, recipe=recipe, budget=None, cache=store, out=tmp_path)
    assert epochs(run.folder) == epochs(tuned.run.folder)
    head = [line for line in (tuned.folder / "best.toml").read_text().splitlines() if line.startswith("#")]
    assert f"trial {tuned.best.number}" in head[0]


def test_trials_leave_no_weights(tuned: Tuned) -> None:
    assert not list((tuned.folder / "trials").rglob("*.safetensors"))


def test_another_search_is_kept_out(
    tuned: Tuned, digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    before = (tuned.folder / "trials.jsonl").read_bytes()
    with pytest.raises(RunError):
        tune(digits, lenet_weights, store, tuned.folder, 1, seed=1)
    assert (tuned.folder / "trials.jsonl").read_bytes() == before


def test_a_poor_trial_is_given_up(digits: Path, lenet_weights: Path, store: Path, tmp_path: Path) -> None:
    found = tune(digits, lenet_weights, store, tmp_path, 9, recipe={**FIXED, "epochs": 8})
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    for trial in pruned:
        assert len(epochs(tmp_path / "trials" / str(trial.number))) < 9  # the start, and eight epochs


def test_networks_are_compared_from_random_weights(digits: Path, store: Path, tmp_path: Path) -> None:
    found = linne.tune(
        digits,
        networks=["lenet5", "lenet5_1998"],
        budget=None,
        trials=2,
        recipe={"epochs": 1},
        folder=tmp_path,
        cache=store,
    )
    assert [trial.network for trial in found.trials] == ["lenet5", "lenet5_1998"]
    assert all(trial.as_planned for trial in found.trials)
    assert found.run.facts["plan"]["network"] == found.best.network


def test_no_trial_is_begun_that_the_last_run_would_pay_for(tmp_path: Path) -> None:
    terms = Terms({}, {}, last_run=100.0, longest=90.0, training=60.0)
    trials = Trials(tmp_path, {}, terms, None, None)  # type: ignore[arg-type]
    now = time.monotonic()
    assert trials.has_time(Clock(now, 1000.0))
    assert trials.has_time(Clock(now - 860.0, 1000.0))  # 140 s: 40 for a trial
    assert not trials.has_time(Clock(now - 880.0, 1000.0))
    assert trials.has_time(Clock(now, None))


def test_a_search_that_had_no_budget_leaves_the_last_run_its_share_of_one_that_it_gets(tmp_path: Path) -> None:
    trials = Trials(tmp_path, {}, Terms({}, {}, None, None, training=60.0), None, None)  # type: ignore[arg-type]
    now = time.monotonic()
    assert trials.has_time(Clock(now - 810.0, 1000.0))  # 190 s, of which 150 are the last run's
    assert not trials.has_time(Clock(now - 830.0, 1000.0))


def test_a_budget_that_does_not_hold_the_pass_and_the_last_run_is_refused(
    digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    gathered = {"a": (gather(digits, None, lenet_weights, None, 0, Silent()), Asked(0, None, FIXED, None))}
    now = time.monotonic()
    settled(tmp_path, gathered, Clock(now, 1000.0), None, store, Silent())
    late = Clock(now - 900.0, 1000.0)  # 100 s are left, and 150 are the last run's
    with pytest.raises(LinneError):
        settled(tmp_path, gathered, late, None, store, Silent())


@pytest.mark.slow
def test_photos_are_laid_out_as_fit_does_and_stay_so(tmp_path: Path) -> None:
    photos, weights = tall_photos(tmp_path / "photos", marked=True), tmp_path / "weights.safetensors"
    write_weights(weights, small_network(), SMALL, small_pixels())
    gathered = {"a": (gather(photos, None, weights, None, 0, Silent()), Asked(0, None, {"method": "stages"}, None))}
    found, terms = settled(tmp_path, gathered, Clock.starting(60.0), None, tmp_path / "store", Silent())
    spec = found["a"][0].choice.pixels
    assert (spec.fit, spec.height, spec.width) == ("stretch", 96, 32)
    assert terms.pixels == {"a": spec}
    agree(terms, tmp_path, {}, [])
    other = tmp_path / "other store"  # where nothing is remembered, and another budget decides nothing anew
    again, known = settled(tmp_path, gathered, Clock.starting(None), None, other, Silent())
    assert replace(known, question="") == terms
    assert again["a"][0].choice.pixels == spec
    assert again["a"][0].backbone is not None
    assert again["a"][0].backbone.pixels == spec
    assert not other.exists()


@pytest.mark.parametrize(
    "options",
    [
        {"budget": None, "trials": None},
        {"trials": 0},
        {"recipe": {"method": "probe"}},
        {"weights": ["a", "b"], "networks": ["c", "d"]},
        {"budget": "6s", "trials": 1},
    ],
)
def test_what_cannot_be_tuned_is_refused(
    options: dict[str, object], digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    given = {"weights": [lenet_weights], "folder": tmp_path, "cache": store, **options}
    with pytest.raises(LinneError):
        linne.tune(digits, **given)  # type: ignore[arg-type]


def test_a_missing_optuna_is_named(digits: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InstallError) as caught:
        linne.tune(digits, folder=tmp_path)
    assert caught.value.remedy == 'pip install "linne[tune]"'


@pytest.mark.slow
def test_a_search_that_is_killed_goes_on(digits: Path, lenet_weights: Path, tmp_path: Path) -> None:
    arguments = ["tune", digits, "--weights", lenet_weights, "--budget", "none", "--folder", tmp_path / "search"]
    log = tmp_path / "search" / "trials.jsonl"
    killed = subprocess.Popen(
        [sys.executable, "-m", "linne", *map(str, arguments), *GIVEN, "--trials", "1000"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=subprocess.DEVNULL,
    )
    try:
        while not (log.exists() and log.read_bytes().count(b"\n") >= 4):
            assert killed.poll() is None
            time.sleep(0.02)
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    before = log.read_bytes()
    done = command(*arguments, *GIVEN, "--trials", "1", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    states = [trial["state"] for trial in told["trials"]]
    assert states[0] == "complete"
    assert len(states) == len({json.loads(line)["number"] for line in before.splitlines()}) + 1
    assert [t.state for t in TrialLog(log).trials] == states
    assert Path(told["run"], "report.html").exists() or (tmp_path / told["run"] / "report.html").exists()
