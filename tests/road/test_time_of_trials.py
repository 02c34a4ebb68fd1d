"""Does a trial have the time that is its own, and tell only of what it has trained?"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from linne.fit.plan import RECIPES
from linne.records.errors import LinneError, RunError
from linne.records.index import TRAIN
from linne.records.progress import Silent
from linne.records.recipe import Recipe
from linne.road.budget import Clock
from linne.road.contender import Contender, make_contender
from linne.road.level import stored_views
from linne.road.look import gather
from linne.road.outlook import Asked
from linne.road.training import open_pixel_cache
from linne.road.trials import Trials
from linne.road.tuning import Terms, agree, known_terms

pytest.importorskip("optuna")

ASKED = Asked(0, None, {}, None)


def tail(views: int, stage: int = 1) -> tuple[Recipe, ...]:
    return (replace(RECIPES["stages"], frozen_stages=stage, epochs=2, views=views),)


@pytest.fixture(scope="module")
def contender(digits: Path, lenet_weights: Path, store: Path) -> Contender:
    material = gather(digits, None, lenet_weights, None, 0, Silent())
    return make_contender("lenet5", material, ASKED, None, store, 0, 1, Silent())


def trials_of(contender: Contender, folder: Path, **terms: float | None) -> Trials:
    given = {"last_run": None, "longest": None, "training": 0.0, **terms}
    settled = Terms({"lenet5": {"tail": tail(1)}}, {}, **given)  # type: ignore[arg-type]
    return Trials(folder, {"lenet5": contender}, settled, ASKED, Silent())


def test_a_trial_that_has_trained_nothing_is_no_result(contender: Contender, tmp_path: Path) -> None:
    trials = trials_of(contender, tmp_path, longest=0.0)
    with pytest.raises(LinneError):
        trials.go(Clock.starting(None), 1, "test")
    (trial,) = trials.log.trials
    assert (trial.state, trial.score, trial.accuracy, trial.epoch) == ("stopped", None, None, None)
    assert trial.why
    assert not (tmp_path / "best.toml").exists()
    trials_of(contender, tmp_path).go(Clock.starting(None), 1, "test")
    assert [(one.state, one.as_planned) for one in trials_of(contender, tmp_path).log.trials] == [
        ("stopped", True),
        ("complete", True),
    ]


def test_a_later_trial_whose_time_went_before_it_trained_is_not_trained(contender: Contender, tmp_path: Path) -> None:
    trials = trials_of(contender, tmp_path, last_run=0.0)
    trials.go(Clock.starting(None), 1, "test")

    class Late(Clock):
        """There is time when a trial is begun, and none when its inputs are stored."""

        def left(self) -> float | None:
            return 1e6 if len(trials.log.trials) == 1 else -1.0

    trials.go(Late.starting(10.0), None, "test")
    assert [trial.state for trial in trials.log.trials] == ["complete", "stopped"]
    assert not (tmp_path / "trials" / "1").exists()


def test_views_are_made_once_and_one_set_is_held(contender: Contender) -> None:
    levels, clock = tail(3), Clock.starting(None)
    seconds = contender.make_inputs(levels, Silent())
    held = contender.start(levels, clock).views
    assert held is not None
    assert len(held) == 3
    assert contender.make_inputs(levels, Silent()) == seconds > 0
    assert contender.start(levels, clock).views is held
    fewer = tail(2)
    assert contender.start(fewer, clock).views is None
    anew = stored_views(contender.start(levels, clock), levels[0], {}, Silent(), lambda: False)
    for ours, training_s in zip(held, anew, strict=True):
        assert np.array_equal(ours, training_s)
    contender.make_inputs(fewer, Silent())
    assert contender.start(levels, clock).views is None
    assert len(contender.start(fewer, clock).views or ()) == 2


def test_what_views_took_is_taken_from_a_trial_as_it_is_from_a_run(contender: Contender, tmp_path: Path) -> None:
    seconds = contender.make_inputs(tail(4), Silent())
    trials = trials_of(contender, tmp_path, longest=seconds)
    trials.terms.methods["lenet5"]["tail"] = tail(4)
    with pytest.raises(LinneError):
        trials.go(Clock.starting(None), 1, "test")
    assert trials.log.trials[0].state == "stopped"


def test_photos_are_decoded_before_the_first_trial_and_counted_for_each(
    digits: Path, lenet_weights: Path, store: Path, tmp_path: Path
) -> None:
    material = gather(digits, None, lenet_weights, None, 0, Silent())
    given, levels = ("lenet5", material, ASKED, None), (replace(RECIPES["whole"], epochs=2),)
    contender = make_contender(*given, tmp_path, 10**9, None, Silent())
    seconds = contender.make_inputs(levels, Silent())
    rows, digest = contender.split.rows(TRAIN), contender.embedding.passed.digest
    with closing(open_pixel_cache(replace(contender.plan, levels=levels), digest, tmp_path, 10**9)) as cache:
        assert cache.lacking(rows) == 0
    assert contender.make_inputs(levels, Silent()) == seconds > 0
    without = make_contender(*given, store, 0, None, Silent())
    assert without.make_inputs(levels, Silent()) == 0  # each trial decodes


def test_trials_on_other_photos_of_the_same_names_are_not_gone_on_with(contender: Contender, tmp_path: Path) -> None:
    terms = Terms({"lenet5": {"tail": tail(1)}}, {}, None, None, 0.0)
    agree(terms, tmp_path, {"lenet5": contender}, [])
    known = known_terms(tmp_path)
    assert known is not None
    agree(known, tmp_path, {"lenet5": contender}, [])
    passed = contender.embedding.passed
    other = replace(contender.embedding, passed=replace(passed, digest=passed.digest ^ 1))
    with pytest.raises(RunError):
        agree(known, tmp_path, {"lenet5": replace(contender, embedding=other)}, [])
