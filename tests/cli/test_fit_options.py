"""Is what would do nothing refused by `linne fit`, before anything is read?"""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.conftest import Call

BESIDE_PLAN = (
    ("--set", "epochs=3"),
    ("--recipe", "r.toml"),
    ("--augment", "light"),
    ("--mix",),
    ("--no-mix",),
    ("--flip", "auto"),
    ("--seed", "0"),
)
BESIDE_RESUME = (
    *BESIDE_PLAN,
    ("--budget", "3m"),
    ("--plan", "plan.json"),
    ("--weights", "w"),
    ("--group-by", "a"),
    ("--teacher", "t"),
    ("--out", "o"),
    ("--cache", "c"),
    ("--cache-size", "0"),
    ("--tensorboard",),
)


@pytest.mark.parametrize(
    ("first", "given"),
    [
        *((("photos", "--plan", "plan.json"), given) for given in BESIDE_PLAN),
        *((("--resume", "run"), given) for given in BESIDE_RESUME),
    ],
)
def test_options_that_would_do_nothing(
    first: tuple[str, ...], given: tuple[str, ...], call: Call, tmp_path: Path
) -> None:
    done = call("fit", *first, *given, folder=tmp_path)
    assert done.returncode == 2
    assert given[0].replace("--no-", "--") in done.stderr
    assert not list(tmp_path.iterdir())


def test_those_that_do_something_are_taken(call: Call, tmp_path: Path) -> None:
    for given in (
        ("--resume", "run", "--shard"),
        ("photos", "--plan", "plan.json", "--group-by", "a", "--budget", "9s"),
    ):
        assert call("fit", *given, folder=tmp_path).returncode == 1  # there is no such run, or plan


def test_an_unset_variable_is_no_budget(call: Call, tmp_path: Path) -> None:
    for given in ((), ("--plan", "plan.json")):
        done = call("fit", "photos", "--budget", "", *given, folder=tmp_path)
        assert done.returncode == 2
        assert "--budget" in done.stderr
