"""Is a level put together right, and does a run end as it should whatever it has to train?"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from images import encode, place, scene
from small_networks import SMALL, eager, small_backbone

from linne.choose.network import Choice
from linne.embed.embedding import embed
from linne.fit.probe import Probe
from linne.fit.processes import ALONE, Processes
from linne.index.class_folders import read_folder
from linne.nets.blocks.drop_path import DropPath, set_drop_path
from linne.records.plan import Plan
from linne.records.progress import Silent
from linne.records.recipe import Recipe
from linne.records.run import Run
from linne.records.split import Split
from linne.road.ctrl_c import ctrl_c_as_an_end
from linne.road.level import Start, make_level
from linne.road.look import Material
from linne.road.training import train_network

STAGE, IMAGES, HELD = 3, 12, 2
STAGES, WHOLE = Recipe("stages", frozen_stages=STAGE, batch_size=5), Recipe("whole", batch_size=5, drop_path=0.25)


@dataclass
class Made:
    """What a level is made of, in a folder."""

    folder: Path

    def start(
        self, *levels: Recipe, processes: Processes = ALONE, probe: Probe | None = None, **given: object
    ) -> Start:
        photos, store = self.folder / "photos", self.folder / "store"
        for number in range(IMAGES):
            place(photos / "ab"[number % 2] / f"{number}.png", encode(scene(70, 90, seed=number), "PNG"))
        index, frozen = read_folder(photos), small_backbone()
        digest = embed(index, frozen, store, Silent(), STAGE, eager(frozen, STAGE)).passed.digest
        subset = np.where(np.arange(IMAGES) < IMAGES - HELD, 1, 2).astype(np.int8)
        split = Split(subset, np.arange(IMAGES), False, index.fingerprint)
        choice = Choice(SMALL, frozen.network, frozen.pixels, True, "", ())
        plan = Plan(SMALL, None, "w", frozen.pixels, levels, True, 0, None, ())
        material = Material(index, None, choice, frozen)  # type: ignore[arg-type] - no level looks at the sample
        wanted = {"elapsed": lambda: 0.0, "deadline": None, **given}
        return Start(
            material, plan, probe, split, digest, store, 0, None, eager(frozen, STAGE), processes=processes, **wanted
        )  # type: ignore[arg-type]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture
def one_of_one() -> Iterator[Processes]:
    """A process group of one process, whose weights can be cut up all the same."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield Processes(shard=True)
    dist.destroy_process_group()


def rates(network: torch.nn.Module) -> set[float]:
    return {part.rate for part in network.modules() if isinstance(part, DropPath)}


def test_what_is_trained_in_pieces_drops_paths_at_the_levels_rate(made: Made, one_of_one: Processes) -> None:
    start = made.start(WHOLE, processes=one_of_one)
    own = rates(start.material.choice.network)
    level = make_level(start, 0, None, {}, Silent())
    network = start.material.choice.network
    set_drop_path(network, 0.25)
    assert rates(level.trainer.module) == rates(network) != own


def test_in_pieces_it_trains_as_whole(made: Made, one_of_one: Processes, tmp_path: Path) -> None:
    losses = []
    for name, processes in (("whole", ALONE), ("pieces", one_of_one)):
        run = Run(tmp_path / name)
        run.folder.mkdir()
        assert train_network(made.start(replace(STAGES, epochs=2), processes=processes), run, Silent())["stopped"] == ""
        losses.append([json.loads(line)["loss"] for line in run.history.read_text().splitlines()[1:]])
    assert len(losses[0]) == 2
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_the_networks_own_rates_are_put_back(made: Made) -> None:
    start = made.start(WHOLE)
    network = start.material.choice.network
    set_drop_path(network, 0.1)
    own = rates(network)
    level = make_level(start, 0, None, {}, Silent())
    assert rates(network) == own
    set_drop_path(network, 0.25)
    assert rates(level.trainer._lanes._lanes[0].module) == rates(network) != own


def test_images_of_the_whole_batch_are_named_whoever_has_them(made: Made) -> None:
    start = made.start(WHOLE)
    alone, second = (
        make_level(replace(start, processes=processes), 0, None, {}, Silent())
        for processes in (ALONE, Processes(rank=1, world=2))
    )
    assert len(alone.named(1, 0)) == 3
    assert second.named(1, 0) == alone.named(1, 0)


def test_a_process_without_validation_images_has_none(made: Made) -> None:
    start = made.start(STAGES, processes=Processes(rank=2, world=3))
    level = make_level(start, 0, None, {}, Silent())
    assert level.batches == 2


def test_the_probe_alone_is_written_by_processes_that_cut_up(made: Made, tmp_path: Path) -> None:
    weight = np.arange(2 * 1280, dtype=np.float32).reshape(2, 1280)
    probe = Probe(weight, np.zeros(2, np.float32), 1.0, 0.5, 0.7)
    start = made.start(processes=Processes(shard=True), probe=probe)
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    told = train_network(start, run, Silent())
    assert told["method"] == "probe"
    assert run.checkpoint.exists()


class CtrlC(Silent):
    """Ctrl-C in the middle of a view."""

    def start(self, step: str, total: float, unit: str) -> None:
        if step.startswith("view"):
            raise KeyboardInterrupt


def test_ctrl_c_while_views_are_made_keeps_the_start(made: Made, tmp_path: Path) -> None:
    start = made.start(replace(STAGES, views=3, epochs=2))
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    told = train_network(start, run, CtrlC())
    assert (told["stopped"], told["epoch"]) == ("interrupt", 0)
    assert len(run.history.read_text().splitlines()) == 1
    assert run.checkpoint.exists()


class Pressed(Silent):
    """The same, as a terminal tells it."""

    def start(self, step: str, total: float, unit: str) -> None:
        if step.startswith("view"):
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_in_a_race_leaves_the_training_to_be_done(made: Made, tmp_path: Path) -> None:
    start = made.start(replace(STAGES, views=3, epochs=2))
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    with pytest.raises(KeyboardInterrupt), ctrl_c_as_an_end():
        train_network(start, run, Pressed())
    assert not run.checkpoint.exists()
    assert train_network(start, run, Pressed())["stopped"] == "interrupt"  # a fit alone ships what there is


def test_views_end_with_the_time_and_the_start_is_kept(made: Made, tmp_path: Path) -> None:
    start = made.start(replace(STAGES, views=100, epochs=2), elapsed=lambda: 2.0, deadline=1.0)
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    told = train_network(start, run, Silent())
    assert (told["stopped"], told["epoch"]) == ("deadline", 0)
