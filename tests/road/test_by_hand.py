"""Is what was decided by hand done, or refused before training is measured?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import linne
from linne.choose.network import Choice
from linne.nets import create
from linne.nets.catalogue import entry
from linne.records.errors import LinneError
from linne.road.by_hand import refuse_what_cannot_be, sides_of


def choice(network: str, pretrained: bool) -> Choice:
    torch.manual_seed(0)
    return Choice(network, create(network).eval(), entry(network).pixels, pretrained, "", ())


LENET, LENET_FROM_SCRATCH = choice("lenet5", True), choice("lenet5", False)  # three stages
MOBILENET, MOBILENET_FROM_SCRATCH = choice("mobilenet_v2", True), choice("mobilenet_v2", False)  # 128 to 192


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (LENET, {"method": "scratch"}),
        (LENET_FROM_SCRATCH, {"method": "whole"}),
        (LENET_FROM_SCRATCH, {"method": "stages"}),
        (LENET_FROM_SCRATCH, {"method": "probe"}),
        (LENET_FROM_SCRATCH, {"views": 4}),
        (LENET_FROM_SCRATCH, {"frozen_stages": 1}),
        (LENET, {"method": "whole", "views": 4}),
        (LENET, {"method": "whole", "frozen_stages": 1}),
        (LENET, {"method": "probe", "frozen_stages": 1}),
        (LENET, {"frozen_stages": 0}),
        (LENET, {"frozen_stages": 3}),
        (LENET, {"augment": "none", "views": 2}),
        (LENET, {"first_side": 16}),  # the second pool leaves nothing
        (LENET_FROM_SCRATCH, {"last_side": 16}),
        (MOBILENET, {"first_side": 160, "last_side": 128}),
        (MOBILENET, {"method": "stages", "last_side": 192}),
        (MOBILENET, {"method": "probe", "first_side": 128}),
        (LENET, {"drop_path": 0.1}),  # it has no branches
        (MOBILENET_FROM_SCRATCH, {"lanes": 2}),  # its norms see the whole batch
        (MOBILENET, {"first_side": 193}),  # the planner's last side is below that
        (MOBILENET_FROM_SCRATCH, {"first_side": 225}),
    ],
)
def test_what_cannot_be_done_is_refused(choice: Choice, chosen: dict[str, Any]) -> None:
    with pytest.raises(LinneError) as caught:
        refuse_what_cannot_be(choice, chosen)
    assert caught.value.remedy
    assert set(chosen) & set(str(caught.value).replace(":", " ").split())  # it is named


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (LENET, {}),
        (LENET, {"method": "probe"}),
        (LENET, {"method": "stages", "frozen_stages": 1, "views": 4}),
        (LENET, {"frozen_stages": 2}),
        (LENET, {"augment": "none", "views": 1}),
        (LENET, {"augment": "none"}),
        (LENET, {"first_side": None, "last_side": None}),
        (LENET_FROM_SCRATCH, {"method": "scratch", "views": 1}),  # as a search writes its best recipe
        (LENET, {"drop_path": 0.0}),
        (LENET_FROM_SCRATCH, {"lanes": 2}),
        (MOBILENET, {"lanes": 2}),
        (MOBILENET_FROM_SCRATCH, {"lanes": 1}),
        (MOBILENET, {"first_side": 192}),
        (MOBILENET, {"method": "stages", "last_side": None}),
        (MOBILENET, {"first_side": 224, "last_side": None}),
        (MOBILENET, {"first_side": None}),
        (MOBILENET, {"last_side": 96}),
        (MOBILENET_FROM_SCRATCH, {"first_side": 224}),
    ],
)
def test_what_can_be_done_is_not(choice: Choice, chosen: dict[str, Any]) -> None:
    refuse_what_cannot_be(choice, chosen)


def test_several_processes_make_no_views_and_have_a_lane_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "one")
    monkeypatch.setenv("WORLD_SIZE", "2")
    refuse_what_cannot_be(LENET, {"views": 1})
    for chosen in ({"views": 2}, {"lanes": 2}):
        with pytest.raises(LinneError):
            refuse_what_cannot_be(LENET, chosen)


def test_inputs_grow_where_the_network_takes_that() -> None:
    assert sides_of(MOBILENET) == (128, 192)
    assert sides_of(LENET) is None
    assert sides_of(replace(MOBILENET, network=LENET.network)) is None  # it wants gray


def test_nothing_is_begun_that_cannot_be_done(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(LinneError) as caught:
        linne.fit(digits, recipe={"first_side": 16}, budget=60, cache=tmp_path / "store", out=tmp_path / "runs")
    assert caught.value.value == 16
    assert not (tmp_path / "runs").exists()
