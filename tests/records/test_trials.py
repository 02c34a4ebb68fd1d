"""Is a record of trials whole, wherever it was cut off?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.records.errors import RunError
from linne.records.trials import Trial, TrialLog, best_of, score_of

FIRST = Trial(0, "lenet5", "whole", {"learning_rate": 0.25, "optimiser": "sgd"}, as_planned=True)
ENDED = replace(
    FIRST, state="complete", score=0.8, accuracy=0.9, log_loss=0.4, epoch=2, seconds=1.5, reported=((4, 0.7), (8, 0.8))
)
SECOND = replace(FIRST, number=1, as_planned=False)


def written(path: Path) -> bytes:
    log = TrialLog(path)
    for trial in (FIRST, ENDED, SECOND, replace(SECOND, state="pruned", reported=((2, 0.1),))):
        log.add(trial)
    return path.read_bytes()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written(tmp_path / "trials.jsonl")
    assert TrialLog(tmp_path / "trials.jsonl").trials == [
        ENDED,
        replace(SECOND, state="pruned", reported=((2, 0.1),)),
    ]


@given(st.data())
def test_cut_off_anywhere_what_ended_is_kept_and_what_ran_was_stopped(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / "trials.jsonl"
    text = written(path)
    at = data.draw(st.integers(0, len(text)))
    path.write_bytes(text[:at])
    lines = text[:at].count(b"\n")
    states = {0: [], 1: ["stopped"], 2: ["complete"], 3: ["complete", "stopped"], 4: ["complete", "pruned"]}
    log = TrialLog(path)
    assert [trial.state for trial in log.trials] == states[lines]
    log.add(replace(SECOND, number=7, state="failed", why="so"))
    assert [trial.state for trial in TrialLog(path).trials] == [*states[lines], "failed"]


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b"[]\n",
        b"nonsense\n",
        b'{"number": 0, "network": "a", "method": "b", "values": {}, "state": "odd", "reported": []}\n',
        b'{"number": 0, "network": "a", "method": "b", "values": {}, "state": "complete", "reported": []}\n',
    ],
)
def test_what_is_no_trial_is_refused_and_named(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "trials.jsonl").write_bytes(line)
    with pytest.raises(RunError) as caught:
        TrialLog(tmp_path / "trials.jsonl")
    assert caught.value.file == str(tmp_path / "trials.jsonl")


def test_the_best_is_complete_and_the_earliest_of_equals() -> None:
    others = [replace(ENDED, number=1), replace(ENDED, number=2, state="pruned", score=0.99)]
    assert best_of([*others, ENDED]) == ENDED
    assert best_of([FIRST]) is None


def test_scores_lie_between_zero_and_one() -> None:
    assert score_of(1.0, 0.0) == 1.0
    assert score_of(0.0, float("inf")) == 0.0
    assert score_of(0.5, float("nan")) == 0.25
    assert score_of(0.5, 0.6) > score_of(0.5, 0.7)
