"""Do TensorBoard and MLflow get what the history has, once, and can they do no harm?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import linne
from linne.fit.tracking import Trackers, flat, metrics
from linne.records.epoch import Epoch
from linne.records.errors import InstallError, LinneError
from linne.records.progress import Silent
from linne.road.fit import resume

TRAINED = {"method": "stages", "epochs": 2}

FIRST = Epoch(0, 0, None, 0.5, 1.2, 1.0, None)
SECOND = Epoch(0, 1, 0.7, 0.6, 1.1, 2.0, 100.0, 1e-3, 0.25)


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.epochs: list[Epoch] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


def history(folder: Path) -> list[Epoch]:
    return [Epoch(**json.loads(line)) for line in (folder / "history.jsonl").read_text().splitlines()]


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Scalars by tag, read by TensorBoard's own reader."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    read = accumulator.EventAccumulator(str(folder / "tensorboard"))
    read.Reload()
    return {tag: [(e.step, e.value) for e in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def tracked(run: str, name: str) -> list[tuple[int, float]]:
    """A metric's history, from MLflow's client."""
    from mlflow.tracking import MlflowClient

    return [(m.step, m.value) for m in MlflowClient().get_metric_history(run, name)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tracking store in a file."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def mlflow_there(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    import mlflow

    mlflow.set_tracking_uri(None)


def test_both_get_what_the_history_has(
    digits: Path, lenet_weights: Path, store: Path, tmp_path: Path, mlflow_there: None
) -> None:
    pytest.importorskip("tensorboard")
    told = Told()
    run = linne.fit(
        digits,
        weights=lenet_weights,
        budget=None,
        recipe=TRAINED,
        cache=store,
        out=tmp_path,
        track=["tensorboard", "mlflow"],
        progress=told,
    )
    epochs = history(run.folder)
    assert [epoch.epoch for epoch in epochs] == [0, 1, 2]
    assert told.epochs == epochs
    assert all(epoch.learning_rate is not None and 0 <= epoch.learning_rate <= 1e-3 for epoch in epochs[1:])
    assert all(epoch.waited is not None and 0 <= epoch.waited <= 1 for epoch in epochs[1:])
    written, kept = events(run.folder), json.loads((run.folder / "mlflow.json").read_text())
    for name, of in {
        "validation/accuracy": "accuracy",
        "validation/log_loss": "log_loss",
        "train/loss": "loss",
    }.items():
        expected = [(e.epoch, getattr(e, of)) for e in epochs if getattr(e, of) is not None]
        assert written[name] == [(step, pytest.approx(value)) for step, value in expected]
        assert tracked(kept["run_id"], name) == expected
    from mlflow.tracking import MlflowClient

    noted = MlflowClient().get_run(kept["run_id"])
    assert noted.info.status == "FINISHED"
    assert noted.data.params["levels.0.epochs"] == "2"
    assert noted.data.tags["linne.run"] == str(run.folder.absolute())
    assert noted.data.metrics["final/accuracy"] == run.facts["chosen"]["accuracy"]
    assert written["final/accuracy"][0][1] == pytest.approx(run.facts["chosen"]["accuracy"])


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_run_that_goes_on_tells_no_epoch_twice(name: str, tmp_path: Path, mlflow_there: None) -> None:
    pytest.importorskip("tensorboard")
    lines: list[str] = []
    before = Trackers([name], tmp_path, lines.append)  # type: ignore[list-item]
    before.start({}, [], 0.0)  # it was cut off before it told what was planned
    for epoch in (FIRST, SECOND):
        before.epoch(epoch)
    for _ in range(2):
        after = Trackers([name], tmp_path, lines.append)  # type: ignore[list-item]
        after.start({"seed": 0}, [FIRST], 0.0)  # the checkpoint was written before the second
    after.epoch(SECOND)
    after.end({"accuracy": 0.6})
    assert lines == []
    expected = [(0, 0.5), (1, 0.6)]
    if name == "mlflow":
        from mlflow.tracking import MlflowClient

        run = json.loads((tmp_path / "mlflow.json").read_text())["run_id"]
        assert tracked(run, "validation/accuracy") == expected
        assert MlflowClient().get_run(run).data.params == {"seed": "0"}
    else:
        assert events(tmp_path)["validation/accuracy"] == [(step, pytest.approx(value)) for step, value in expected]


def test_a_server_that_is_gone_is_told_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # the port of 'discard', where nobody listens
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri(None)
    lines: list[str] = []
    trackers = Trackers(["mlflow"], tmp_path, lines.append)
    trackers.start({}, [], 0.0)
    trackers.epoch(FIRST)
    trackers.end({})
    assert len(lines) == 1
    assert lines[0].startswith("mlflow: ")


def test_a_folder_that_cannot_be_written_ends_no_training(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "tensorboard").write_text("in the way")
    lines: list[str] = []
    trackers = Trackers(["tensorboard"], tmp_path, lines.append)
    trackers.start({}, [], 0.0)
    trackers.epoch(FIRST)
    assert len(lines) == 1


def test_a_missing_package_is_named_before_anything_is_done(
    digits: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for name in [name for name in sys.modules if name.startswith(("tensorboard.", "linne.fit.to_tensorboard"))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(InstallError) as caught:
        linne.fit(digits, budget=None, cache=store, out=tmp_path, track=["tensorboard"])
    assert caught.value.remedy == 'pip install "linne[tensorboard]"'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_that_was_cut_off_is_followed_by_both_again(
    digits: Path, lenet_weights: Path, store: Path, tmp_path: Path, mlflow_there: None
) -> None:
    pytest.importorskip("tensorboard")

    class CutOff(Told):
        def epoch(self, epoch: Epoch) -> None:
            super().epoch(epoch)
            if epoch.epoch == 2:
                raise RuntimeError("cut off")

    with pytest.raises(RuntimeError, match="cut off"):
        linne.fit(
            digits,
            weights=lenet_weights,
            budget=None,
            recipe={**TRAINED, "epochs": 3},
            cache=store,
            out=tmp_path,
            track=["tensorboard", "mlflow"],
            progress=CutOff(),
        )
    (folder,) = tmp_path.iterdir()
    run = resume(folder)  # there was no checkpoint: the epochs are trained again, to the same numbers
    expected = [(epoch.epoch, epoch.accuracy) for epoch in history(run.folder)]
    assert [step for step, _ in expected] == [0, 1, 2, 3]
    kept = json.loads((folder / "mlflow.json").read_text())
    assert tracked(kept["run_id"], "validation/accuracy") == expected
    assert events(folder)["validation/accuracy"] == [(step, pytest.approx(value)) for step, value in expected]


def test_what_tracks_nothing_is_refused(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(LinneError):
        linne.fit(digits, out=tmp_path, track=["wandb"])  # type: ignore[list-item]
    assert list(tmp_path.iterdir()) == []


def test_neither_is_imported_unless_asked_for() -> None:
    program = (
        "import sys, linne.road.walk, linne.cli.fit\n"
        "sys.exit(bool({'tensorboard', 'mlflow', 'optuna'} & {name.split('.')[0] for name in sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_numbers_have_the_names_under_which_they_are_looked_for() -> None:
    assert metrics(FIRST) == {"validation/accuracy": 0.5, "validation/log_loss": 1.2, "train/seconds": 1.0}
    assert metrics(SECOND)["train/learning_rate"] == 1e-3
    assert flat({"a": {"b": 1}, "levels": [{"c": 2}, {"c": 3}], "mean": [0.5, 0.5]}) == {
        "a.b": 1,
        "levels.0.c": 2,
        "levels.1.c": 3,
        "mean": [0.5, 0.5],
    }
