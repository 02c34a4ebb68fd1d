"""Does training learn, keep the best, and stop when it should?"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import normal, same_state, small_network, state_of
from torch import Tensor
from toy_training import RECIPE, Run

from linne.fit.order import Order
from linne.fit.sources import Batch, CachedActivations
from linne.fit.tail import Tail
from linne.records.errors import LinneError
from linne.records.progress import Silent


def test_a_separable_problem_is_learnt(tmp_path: Path) -> None:
    run = Run(tmp_path, epochs=30)
    stopped = run.go()
    assert stopped == ""
    assert len(run.done) == 31
    assert run.best.accuracy >= 0.95 > run.done[0].accuracy
    assert run.done[-1].loss < run.done[1].loss
    assert not run.module.training


def test_the_module_and_what_was_kept_are_the_best(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.go()
    assert same_state(run.kept[-1], run.module.state_dict())
    ranks = [(epoch.accuracy, -epoch.log_loss) for epoch in run.done]
    assert run.best == run.done[ranks.index(max(ranks))]
    assert len(run.kept) == sum(rank > max(ranks[:i], default=(-1, 0)) for i, rank in enumerate(ranks))


class Spoiling:
    """Good labels in the first epochs, wrong ones after."""

    def __init__(self, source: CachedActivations, good: int = 2) -> None:
        self.source, self.images, self.batch_size, self.good = source, source.images, source.batch_size, good
        self.waited, self.failed = 0.0, {}

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        for inputs, labels in self.source.epoch(epoch, first):
            yield inputs, labels if epoch <= self.good else 1 - labels


def test_later_epochs_that_are_worse_are_not_kept(tmp_path: Path) -> None:
    run = Run(tmp_path, epochs=10)
    run.source = Spoiling(run.source)
    run.go()
    assert 1 <= run.best.epoch <= 4  # momentum carries on for a while
    assert run.done[-1].accuracy < run.best.accuracy
    logits = run.validate(lambda x: run.module(x).detach())[0]
    assert (logits.argmax(1) == run.labels).mean() == run.best.accuracy
    assert same_state(run.kept[-1], run.module.state_dict())


def test_a_start_that_is_best_is_kept(tmp_path: Path) -> None:
    run = Run(tmp_path, epochs=3)
    with torch.no_grad():
        run.module.layer.weight.copy_(torch.tensor([[-50.0, 50.0], [50.0, -50.0]]))
        run.module.layer.bias.zero_()
    run.source = Spoiling(run.source, good=0)
    start = state_of(run.module)
    run.go()
    assert run.best.epoch == 0
    assert same_state(start, run.module.state_dict())
    assert len(run.kept) == 1


def test_a_deadline_in_the_past_stops_at_once(tmp_path: Path) -> None:
    run = Run(tmp_path)
    stopped = run.go(deadline=time.monotonic() - 1)
    assert stopped == "deadline"
    assert [epoch.epoch for epoch in run.done] == [0]
    assert same_state(run.start, run.module.state_dict())
    assert same_state(run.start, run.kept[-1])


def test_training_leaves_time_to_validate_before_the_deadline(tmp_path: Path) -> None:
    """On a clock on which a step takes one second and a validation ten."""
    now = 0.0
    run = Run(tmp_path, epochs=10_000)
    plain = run.validate

    def slow(predict: Callable[[Tensor], Tensor]) -> tuple[np.ndarray, np.ndarray]:
        nonlocal now
        now += 10
        return plain(predict)

    class Ticking(Silent):
        def update(self, done: float, note: str = "") -> None:
            nonlocal now
            now += 1

    run.validate = slow
    stopped = run.go(deadline=57, progress=Ticking(), now=lambda: now)
    assert stopped == "deadline"
    assert 46 < now <= 58  # the last step began when all of a validation could follow
    assert len(run.done) >= 2


class Seconds(Silent):
    """A clock on which each step takes ten seconds."""

    now = 0.0

    def update(self, done: float, note: str = "") -> None:
        self.now += 10


def test_time_to_keep_what_is_the_best_is_left_too(tmp_path: Path) -> None:
    clock, run = Seconds(), Run(tmp_path, epochs=10_000)

    class Slow(list):
        def append(self, state: dict[str, Tensor]) -> None:
            clock.now += 30
            super().append(state)

    run.kept = Slow()
    certainty = itertools.count(1)  # every epoch is better than the one before
    run.validate = lambda _: (np.eye(2, dtype=np.float32)[run.labels] * next(certainty), np.arange(64))
    assert run.go(deadline=155, progress=clock, now=lambda: clock.now) == "deadline"
    assert len(run.kept) == len(run.done) > 2
    assert clock.now <= 165  # the last step began when all of that could follow


def test_what_is_kept_already_is_not_kept_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.go()
    kept = len(run.kept)
    run.loop.judge.keep_best()
    assert len(run.kept) == kept
    again = Run(tmp_path)
    again.go()  # the run is over; another process may have kept what is not the best
    assert not again.kept
    again.loop.judge.keep_best()
    assert len(again.kept) == 1


def test_a_level_that_validates_more_slowly_than_the_one_before_ends_in_time(tmp_path: Path) -> None:
    """In its very first epoch, when it has not been validated yet."""
    clock, run = Seconds(), Run(tmp_path, epochs=1, levels=(RECIPE, RECIPE), batch=4)
    plain = run.validate

    def slow(predict: Callable[[Tensor], Tensor]) -> tuple[np.ndarray, np.ndarray]:
        clock.now += 50 if run.loop.position.level == 1 else 0
        return plain(predict)

    run.validate = slow
    assert run.go(deadline=160 + 150, progress=clock, now=lambda: clock.now) == "deadline"
    assert [(epoch.level, epoch.epoch) for epoch in run.done] == [(0, 0), (0, 1), (1, 2)]
    assert 250 < clock.now <= 310 + 10


def test_an_interrupt_before_anything_was_judged_keeps_the_start(tmp_path: Path) -> None:
    run = Run(tmp_path)
    plain, asked = run.validate, 0

    def interrupted(predict: Callable[[Tensor], Tensor]) -> np.ndarray:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise KeyboardInterrupt
        return plain(predict)

    run.validate = interrupted
    stopped = run.go()
    assert stopped == "interrupt"
    assert [epoch.epoch for epoch in run.done] == [0]
    assert same_state(run.start, run.module.state_dict())
    assert same_state(run.start, run.kept[-1])


class Interrupting(Silent):
    """Ctrl-C when so many images are done."""

    def __init__(self, at: int) -> None:
        self.at, self.finished = at, 0

    def update(self, done: float, note: str = "") -> None:
        if done >= self.at:
            raise KeyboardInterrupt

    def finish(self) -> None:
        self.finished += 1


@pytest.mark.parametrize(("at", "epochs"), [(1, 1), (64, 1), (64 * 3 + 32, 4)])
def test_an_interrupt_keeps_the_best(tmp_path: Path, at: int, epochs: int) -> None:
    run, progress = Run(tmp_path), Interrupting(at)
    stopped = run.go(progress=progress)
    assert stopped == "interrupt"
    assert len(run.done) == len(run.lines()) == epochs
    assert progress.finished == 1
    assert same_state(run.kept[-1], run.module.state_dict())
    logits = run.validate(lambda x: run.module(x).detach())[0]
    assert (logits.argmax(1) == run.labels).mean() == run.best.accuracy


def test_an_interrupt_while_keeping_leaves_one_truth(tmp_path: Path) -> None:
    run = Run(tmp_path)
    calls = 0

    class Once(list):
        def append(self, state: dict[str, Tensor]) -> None:
            nonlocal calls
            calls += 1
            if calls == 3:
                raise KeyboardInterrupt
            super().append(state)

    run.kept = Once()
    stopped = run.go()
    assert stopped == "interrupt"
    assert same_state(run.kept[-1], run.module.state_dict())
    logits = run.validate(lambda x: run.module(x).detach())[0]
    assert (logits.argmax(1) == run.labels).mean() == run.best.accuracy


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_no_number_is_an_error_and_the_best_is_in_place(tmp_path: Path, value: float) -> None:
    run = Run(tmp_path)
    good = run.source

    class Poisoned(Spoiling):
        def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
            for inputs, labels in self.source.epoch(epoch, first):
                yield (inputs if epoch < 3 else inputs * value), labels

    run.source = Poisoned(good)
    with pytest.raises(LinneError):
        run.go()
    assert same_state(run.kept[-1], run.module.state_dict())
    assert all(torch.isfinite(weight).all() for weight in run.module.parameters())


def test_history_has_a_line_an_epoch(tmp_path: Path) -> None:
    run = Run(tmp_path, epochs=3)
    run.go()
    lines = run.lines()
    assert [line["epoch"] for line in lines] == [0, 1, 2, 3]
    assert lines[0]["loss"] is None
    assert lines[0]["rate"] is None
    assert all(line["loss"] > 0 and line["rate"] > 0 for line in lines[1:])
    assert [line["accuracy"] for line in lines] == [epoch.accuracy for epoch in run.done]
    assert [line["seconds"] for line in lines] == sorted(line["seconds"] for line in lines)


@pytest.mark.parametrize("stage", [16, 0])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(tmp_path: Path, stage: int) -> None:
    shape = (8, 56, 2, 2) if stage else (8, 3, 64, 64)
    values, labels, states = normal(*shape).astype(np.float16), np.arange(8) % 3, []
    certainty = iter(range(100))  # every epoch is better than the one before, so that the last is kept
    for number in range(2):
        network = small_network(classes=3)
        torch.manual_seed(number)  # what the network draws depends on the run's seed alone
        folder = tmp_path / str(number)
        folder.mkdir()
        run = Run(folder, epochs=2, make=lambda network=network: Tail(network, stage))
        run.labels, run.source = labels, CachedActivations([values], labels, Order.of(8, 4, 0))
        run.validate = lambda predict: (np.eye(3, dtype=np.float32)[labels] * next(certainty), np.arange(8))
        run.go()
        states.append(state_of(network))
    assert same_state(*states)
    assert not same_state(states[0], small_network(classes=3).state_dict())
