"""A race on real digits: one split, one budget, kept results, and ties that are told apart from leads."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import SMALL as SMALL_NETWORK
from small_networks import small_pixels
from some_results import failed, result
from tall_photos import tall_photos
from walked import state_of

import linne
from linne.choose.network import SCRATCH_SIDE
from linne.choose.sample import take_sample
from linne.index.photos import read_photos
from linne.nets.build import create
from linne.nets.catalogue import entry
from linne.nets.weights import write_weights
from linne.nets.weights.fetch import local_path
from linne.nets.weights.published import pick
from linne.records.errors import LinneError, RunError, WeightsError
from linne.records.evaluation import Evaluation
from linne.records.index import TEST, VALIDATION
from linne.records.leaderboard import Leaderboard, Place, Result
from linne.records.progress import Silent
from linne.records.run import Run
from linne.records.split import Split
from linne.road.entrants import GENERATIONS, entrants_of, raced_at
from linne.road.race_told import Named
from linne.road.request import Request
from linne.road.standing import places_of

SMALL = ("lenet5", "lenet5_1998")
ONE_EPOCH = {"epochs": 1}


class Heard(Silent):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.steps: list[str] = []

    def start(self, step: str, total: float, unit: str) -> None:
        self.steps.append(step)

    def say(self, line: str) -> None:
        self.said.append(line)


class CtrlC(Heard):
    """Presses Ctrl-C after the first step of a training."""

    def __init__(self, training: int) -> None:
        super().__init__()
        self.training = training

    def update(self, done: float, note: str = "") -> None:
        if self.steps.count("train") == self.training and self.steps[-1] == "train":
            self.steps.append("pressed")
            signal.raise_signal(signal.SIGINT)


class Raises(Heard):
    """Something goes wrong in the first step of the first training."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def update(self, done: float, note: str = "") -> None:
        if self.steps.count("train") == 1 and self.steps[-1] == "train":
            raise self.error


@pytest.fixture(scope="module")
def held(
    digits: Path, lenet_weights: Path, store: Path, walked: Path, tmp_path_factory: pytest.TempPathFactory
) -> Leaderboard:
    """After a fit of the same photos and weights, with the same store."""
    out = tmp_path_factory.mktemp("races") / "digits"
    return linne.race(
        digits, networks=SMALL, weights=[lenet_weights], budget=None, recipe=ONE_EPOCH, out=out, cache=store
    )


def test_all_networks_had_the_same_split(held: Leaderboard) -> None:
    folder = Path(held.folder)
    runs = [Run.open(path) for path in sorted((folder / "runs").iterdir())]
    assert len(runs) == 3
    for run in runs:
        split = Split.read(run.split)
        assert (run.facts["fingerprints"]["split"], split.fingerprint) == (held.split, held.split)
        assert len(split.rows(VALIDATION)) == held.images["validation"]
        assert run.facts["openings"] == []
        assert not run.evaluation.exists()


def test_each_network_finds_nothing_that_was_computed_before(held: Leaderboard, store: Path) -> None:
    for place in held.places:
        run = Run.open(Path(held.folder) / "runs" / place.result.name)
        images = run.facts["embedded"]["images"]
        assert run.facts["embedded"]["computed"] == (images if place.result.start == "pretrained" else 0)
        own = Request.read(run.asked).store
        assert own != store
        assert run.folder in own.parents
        assert not own.exists()  # it is done


def test_the_leaderboard_says_what_the_runs_do(held: Leaderboard) -> None:
    assert Leaderboard.read(Path(held.folder) / "leaderboard.json") == held
    assert (held.subset, held.budget, held.chosen, held.classes) == ("validation", None, ONE_EPOCH, 10)
    scores = [place.score.value for place in held.places if place.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3
    for place in held.places:
        finish = place.result.finish
        assert finish is not None
        run = Run.open(Path(held.folder) / "runs" / place.result.name)
        assert place.score == finish.validation == Evaluation.read(run.validation).measures["accuracy"]
        assert len(finish.validation_right) == held.images["validation"]
        assert finish.validation_right.count("1") / held.images["validation"] == pytest.approx(finish.validation.value)
        counted = {"lenet5": 61706, "lenet5_1998": 60000 + 85 * 10}  # a linear layer in place of the paper's RBF units
        assert finish.parameters == counted[place.result.network]
        assert finish.megabytes == pytest.approx((run.bundle / "model.onnx").stat().st_size / 1e6, abs=0.01)
        assert finish.milliseconds > 0
        assert (finish.height, finish.width) == (32, 32)
    assert {(p.result.network, p.result.start, p.result.year) for p in held.places} == {
        ("lenet5", "scratch", 1998),
        ("lenet5", "pretrained", 1998),
        ("lenet5_1998", "scratch", 1998),
    }
    assert sorted(place.result.start for place in held.places if place.leads) == ["pretrained", "scratch"]


def test_the_same_call_trains_nothing_again_and_a_longer_list_adds_to_it(
    held: Leaderboard, digits: Path, store: Path
) -> None:
    before = {path: value for path, value in state_of(Path(held.folder)).items() if path.startswith("r")}
    heard = Heard()
    again = linne.race(
        digits, networks=["lenet5"], budget=None, recipe=ONE_EPOCH, out=held.folder, cache=store, progress=heard
    )
    assert "train" not in heard.steps
    assert again == held
    after = state_of(Path(held.folder))
    assert {path: after[path] for path in before if path != "race.html"} == {
        path: value for path, value in before.items() if path != "race.html"
    }


@pytest.mark.parametrize("changed", [{"budget": 90}, {"seed": 1}, {"recipe": {"epochs": 2}}])
def test_a_race_under_other_conditions_is_refused(
    held: Leaderboard, digits: Path, store: Path, changed: dict[str, object]
) -> None:
    asked = {"budget": None, "recipe": ONE_EPOCH, **changed}
    with pytest.raises(RunError) as raised:
        linne.race(digits, networks=["lenet5"], out=held.folder, cache=store, **asked)
    assert raised.value.file == held.folder


def test_a_network_that_was_cut_off_does_not_go_on_under_other_conditions(
    digits: Path, store: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        linne.race(
            digits, networks=["lenet5"], budget=None, recipe=ONE_EPOCH, out=tmp_path, cache=store, progress=CtrlC(1)
        )
    assert list((tmp_path / "results").iterdir()) == []
    with pytest.raises(RunError):
        linne.race(digits, networks=["lenet5"], budget=60, recipe=ONE_EPOCH, out=tmp_path, cache=store)


def test_a_result_from_another_race_is_refused(held: Leaderboard, digits: Path, store: Path, tmp_path: Path) -> None:
    other = replace(result("vit", "1" * 50), question="another")
    path = Path(held.folder) / "results" / "vit.json"
    other.write(path)
    try:
        with pytest.raises(RunError) as raised:
            linne.race(digits, networks=["lenet5"], budget=None, recipe=ONE_EPOCH, out=held.folder, cache=store)
    finally:
        path.unlink()
    assert raised.value.file == str(path)


def test_ctrl_c_keeps_what_is_trained_and_the_same_call_goes_on(
    held: Leaderboard, digits: Path, store: Path, tmp_path: Path
) -> None:
    def race(heard: Heard) -> Leaderboard:
        return linne.race(
            digits, networks=SMALL, budget=None, recipe=ONE_EPOCH, out=tmp_path, cache=store, progress=heard
        )

    with pytest.raises(KeyboardInterrupt):
        race(CtrlC(2))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["lenet5.json"]
    assert Run(tmp_path / "runs" / "lenet5_1998").state.exists()
    heard = Heard()
    board = race(heard)
    assert heard.steps.count("train") == 1
    assert any("goes on" in line and "batch 2" in line for line in heard.said)
    right = {place.result.name: place.result.finish.validation_right for place in held.places if place.result.finish}
    for place in board.places:
        assert place.result.finish is not None
        assert place.result.finish.validation_right == right[place.result.name]


def test_a_network_without_a_checkpoint_begins_anew_and_finds_nothing(
    digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    """What the pass had stored would be time saved: its budget begins anew."""

    class Interrupted(Heard):
        def say(self, line: str) -> None:
            if line.strip().startswith("probe: "):
                raise KeyboardInterrupt

    given = {"networks": [], "weights": [lenet_weights], "budget": None, "recipe": {"method": "probe"}, "cache": store}
    with pytest.raises(KeyboardInterrupt):
        linne.race(digits, out=tmp_path, progress=Interrupted(), **given)  # type: ignore[arg-type]
    (run,) = (tmp_path / "runs").iterdir()
    (run / "left.txt").touch()
    board = linne.race(digits, out=tmp_path, **given)  # type: ignore[arg-type]
    assert board.places[0].score is not None
    assert Run.open(run).facts["embedded"]["computed"] > 0
    assert not (run / "left.txt").exists()


@pytest.mark.parametrize(("budget", "left"), [(3600.0, True), (None, False)])
def test_beside_the_bar_stands_which_network_it_is_and_how_long_the_race_takes(
    budget: float | None, left: bool
) -> None:
    class Notes(Silent):
        def update(self, done: float, note: str = "") -> None:
            notes.append(note)

    notes: list[str] = []
    Named(Notes(), "vit_tiny_16", 1, 3, budget).update(5, "loss 0.5")
    (note,) = notes
    assert note.split()[:4] == ["loss", "0.5", "vit_tiny_16", "2/3,"[: 4 if left else 3]]
    assert ("2.0 h left" in note) == left


def test_what_does_not_fit_or_fails_is_listed_and_the_rest_goes_on(
    digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    board = linne.race(digits, networks=["lenet5"], budget=0.5, out=tmp_path / "short", cache=store)
    (place,) = board.places
    assert (place.score, place.result.finish) == (None, None)
    assert place.result.reason.startswith("no epoch within the budget")
    assert place.result.reason in (tmp_path / "short" / "race.html").read_text(encoding="utf-8")
    assert list((tmp_path / "short" / "runs").iterdir()) == []
    heard = Heard()  # a later call tries it again, and lists it even where it does not name it
    again = linne.race(
        digits, networks=["lenet5_1998"], budget=0.5, out=tmp_path / "short", cache=store, progress=heard
    )
    assert [other.result.network for other in again.places] == ["lenet5_1998", "lenet5"]
    assert again.places[1] == place
    linne.race(digits, networks=["lenet5"], budget=0.5, out=tmp_path / "short", cache=store, progress=heard)
    assert any("lenet5, 1 of 1" in line for line in heard.said)

    board = linne.race(
        digits,
        networks=["lenet5"],
        weights=[lenet_weights],
        budget=None,
        recipe={"method": "probe"},  # which a random start does not have
        out=tmp_path / "probe",
        cache=store,
    )
    probed, refused = board.places
    assert (probed.result.start, probed.result.finish.method if probed.result.finish else "") == ("pretrained", "probe")
    assert (refused.result.start, refused.score) == ("scratch", None)
    assert "method" in refused.result.reason


def test_what_is_trained_is_kept_where_something_else_fails(
    digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    def race(heard: Heard) -> list[Place]:
        board = linne.race(
            digits, networks=["lenet5"], budget=None, recipe=ONE_EPOCH, out=tmp_path, cache=store, progress=heard
        )
        return list(board.places)

    in_the_way = tmp_path / "runs" / "lenet5" / "report.html"
    in_the_way.mkdir(parents=True)
    heard = Heard()
    (place,) = race(heard)
    assert heard.steps.count("train") == 1
    assert place.result.finish is None
    assert "report.html" in place.result.reason
    in_the_way.rmdir()
    heard = Heard()
    (place,) = race(heard)
    assert "train" not in heard.steps
    assert place.result.finish is not None


def test_an_error_while_a_probe_is_shipped_is_not_taken_for_nothing_learnt(
    digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    (_, pretrained) = entrants_of(["lenet5"], [lenet_weights], False, Silent())
    (tmp_path / "runs" / pretrained.name / "report.html").mkdir(parents=True)
    board = linne.race(
        digits,
        networks=["lenet5"],
        weights=[lenet_weights],
        budget=None,
        recipe={"method": "probe"},
        out=tmp_path,
        cache=store,
    )
    reasons = {place.result.start: place.result.reason for place in board.places}
    assert "report.html" in reasons["pretrained"]
    assert Run(tmp_path / "runs" / pretrained.name).checkpoint.exists()


def test_what_torch_raises_is_told_in_a_row_and_an_error_of_the_program_is_raised(
    digits: Path, store: Path, tmp_path: Path
) -> None:
    def race(error: Exception, out: str) -> Leaderboard:
        return linne.race(
            digits,
            networks=SMALL,
            budget=None,
            recipe=ONE_EPOCH,
            out=tmp_path / out,
            cache=store,
            progress=Raises(error),
        )

    for number, error in enumerate((RuntimeError("no memory\nand much else"), MemoryError("no memory"))):
        board = race(error, f"told {number}")
        reasons = {place.result.name: place.result.reason for place in board.places}
        assert sorted(reasons.values()) == ["", f"{type(error).__name__}: no memory"]
    with pytest.raises(ZeroDivisionError):
        race(ZeroDivisionError(), "raised")


@pytest.mark.slow
def test_the_input_is_told_that_the_run_has_chosen(tmp_path: Path) -> None:
    torch.manual_seed(0)
    write_weights(tmp_path / "weights.safetensors", create(SMALL_NETWORK, 10), SMALL_NETWORK, small_pixels())
    board = linne.race(
        tall_photos(tmp_path / "photos", marked=True),
        networks=["lenet5"],
        weights=[tmp_path / "weights.safetensors"],
        budget=60,
        recipe={"method": "probe"},
        out=tmp_path / "race",
        cache=tmp_path / "store",
    )
    finish = board.places[0].result.finish
    assert finish is not None
    assert (finish.height, finish.width) == (96, 32)


def test_the_test_set_is_opened_once_and_noted(digits: Path, store: Path, tmp_path: Path) -> None:
    def race() -> Leaderboard:
        return linne.race(
            digits, networks=["lenet5"], budget=None, recipe=ONE_EPOCH, out=tmp_path, cache=store, open_test=True
        )

    board = race()
    (place,) = board.places
    finish, run = place.result.finish, Run.open(tmp_path / "runs" / "lenet5")
    assert finish is not None
    assert board.subset == "test"
    assert place.score == finish.test == Evaluation.read(run.evaluation).measures["accuracy"]
    assert len(finish.test_right) == board.images["test"] == len(Split.read(run.split).rows(TEST))
    assert finish.test_right.count("1") / board.images["test"] == pytest.approx(place.score.value)
    assert len(run.facts["openings"]) == 1
    assert Result.read(tmp_path / "results" / "lenet5.json") == place.result
    assert race() == board
    assert len(Run.open(run.folder).facts["openings"]) == 1
    page = tmp_path / "race.html"
    assert "sealed" not in page.read_text(encoding="utf-8")
    joined = linne.race(digits, networks=["lenet5_1998"], budget=None, recipe=ONE_EPOCH, out=tmp_path, cache=store)
    assert (joined.subset, len(joined.places)) == ("validation", 2)
    assert "The test set was opened for 1 of them" in page.read_text(encoding="utf-8")


def test_a_tie_is_no_more_than_chance_behind_the_leader_with_the_same_start() -> None:
    results = [
        result("slow", "0" * 100),
        failed("gone", "too short"),
        result("near", "1" * 57 + "0" * 43),
        result("best", "1" * 60 + "0" * 40),
        result("far", "1" * 40 + "0" * 60),
        result("started", "1" * 90 + "0" * 10, "pretrained"),
        result("unread", "-" * 100, "pretrained"),
    ]
    places = {place.result.name: place for place in places_of(results[:-1], np.arange(100), False, 0)}
    assert list(places) == ["started", "best", "near", "far", "slow", "gone"]
    assert [name for name, place in places.items() if place.leads] == ["started", "best"]
    assert [name for name, place in places.items() if place.tied] == ["near"]
    behind = {name: place.behind.value for name, place in places.items() if place.behind}
    assert behind == pytest.approx({"near": 0.03, "far": 0.2, "slow": 0.6})
    # Seven images that one got right and the other did not: p is 0.016 for the two alone, but there are six pairs.
    four = [result("a", "1" * 40 + "0" * 60), *(result(name, "1" * 33 + "0" * 67) for name in "bcd")]
    assert all(place.tied for place in places_of(four, np.arange(100), False, 0) if not place.leads)
    assert not places_of(four[:2], np.arange(100), False, 0)[1].tied
    in_pairs = {place.result.name: place for place in places_of(results[:-1], np.arange(100) // 20, False, 0)}
    assert in_pairs["far"].tied  # one group of twenty copies


def test_images_that_one_of_them_could_not_read_are_not_compared() -> None:
    results = [result("best", "1" * 30 + "0" * 10), result("other", "1" * 10 + "-" * 20 + "0" * 10)]
    best, other = places_of(results, np.arange(40), False, 0)
    assert (best.result.name, other.tied) == ("best", True)
    assert other.behind is not None
    assert other.behind.value == 0


def test_one_of_each_generation_races_oldest_first() -> None:
    entrants = entrants_of(None, (), False, Silent())
    assert [entrant.network for entrant in entrants] == sorted(GENERATIONS, key=lambda name: entry(name).year)
    assert len({entry(name).family for name in GENERATIONS}) == len(GENERATIONS) == 12
    assert {entrant.start for entrant in entrants} == {"scratch"}


def test_weights_take_part_beside_the_networks(
    lenet_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lenet5.safetensors").write_bytes(lenet_weights.read_bytes())
    (tmp_path / "other.safetensors").write_bytes(b"none")
    (tmp_path / "notes.txt").write_text("no weights")
    heard = Heard()
    alone, both = (entrants_of([name], [tmp_path], False, heard) for name in ("resnet18", "lenet5"))
    assert [(entrant.network, entrant.start) for entrant in alone] == [("resnet18", "scratch")]
    assert [(entrant.network, entrant.start) for entrant in both] == [("lenet5", "scratch"), ("lenet5", "pretrained")]
    assert any("other.safetensors" in line for line in heard.said)
    assert len({entrant.name for entrant in both}) == 2
    named = entrants_of(["resnet18"], [lenet_weights, lenet_weights], False, heard)
    assert [entrant.network for entrant in named] == ["resnet18", "lenet5"]
    with pytest.raises(WeightsError):
        entrants_of(["lenet5"], [tmp_path / "other.safetensors"], False, heard)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert len(entrants_of(["resnet18"], (), True, heard)) == 1
    place = local_path(pick("resnet18", "imagenet"))
    place.parent.mkdir(parents=True)
    place.write_bytes(b"weights")
    _, cached = entrants_of(["resnet18"], (), True, heard)
    assert (cached.start, cached.weights) == ("pretrained", f"imagenet:{pick('resnet18', 'imagenet').tag}")


def test_networks_without_a_year_or_a_name_are_refused() -> None:
    for name in ("timm:resnet10t", "resnet1"):
        with pytest.raises(LinneError):
            entrants_of([name], (), False, Silent())


def test_inputs_are_no_larger_than_the_photos(digits: Path) -> None:
    small = take_sample(read_photos(digits))
    assert small.shorter_side == 32
    assert (raced_at(entry("resnet18").pixels, small).height, raced_at(entry("lenet5").pixels, small).height) == (
        64,
        32,
    )
    large = type(small)(small.pictures, 500, True, small.seconds, small.digests)
    pixels = raced_at(entry("resnet18").pixels, large)
    assert (pixels.height, pixels.width, pixels.resize) == (SCRATCH_SIDE, SCRATCH_SIDE, 146)
