"""Does the best recipe of a search say again what was decided, and only what is read?"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from linne.fit.plan import RECIPES
from linne.nets.catalogue import entry
from linne.records.plan import Plan
from linne.records.recipe import Recipe
from linne.records.trials import Trial
from linne.road.best_recipe import as_toml

TAIL = replace(RECIPES["stages"], frozen_stages=9, views=4)
WHOLE = replace(RECIPES["whole"], first_side=160, last_side=192, augment="trivial")
TRIAL = Trial(3, "mobilenet_v2", "both", {}, state="complete", score=0.9, accuracy=0.9, log_loss=0.3)


def told(levels: tuple[Recipe, ...], fixed: dict[str, Any]) -> dict[str, Any]:
    plan = Plan("mobilenet_v2", None, "digest", entry("mobilenet_v2").pixels, levels, True, 0, None, ())
    return tomllib.loads(as_toml(TRIAL, plan, fixed, "linne tune"))


def test_what_one_level_alone_reads_is_said_for_it() -> None:
    said = told((TAIL, WHOLE), {})
    assert (said["first_side"], said["last_side"], said["augment"]) == (160, 192, "trivial")
    assert not said.keys() & {"method", "learning_rate", "frozen_stages", "views", "teacher_share"}
    assert told((TAIL, WHOLE), {"views": 4})["views"] == 4


@pytest.mark.parametrize(
    ("level", "unread", "read"),
    [
        (TAIL, {"augment", "mix", "first_side", "last_side"}, {"frozen_stages": 9, "views": 4, "method": "stages"}),
        (WHOLE, {"frozen_stages", "views"}, {"last_side": 192, "augment": "trivial", "method": "whole"}),
    ],
)
def test_what_no_level_reads_is_left_out(level: Recipe, unread: set[str], read: dict[str, Any]) -> None:
    said = told((level,), {})
    assert not said.keys() & unread
    assert {name: said[name] for name in read} == read
