"""A run that is cut off at any moment and goes on ends as one that was not, bit for bit."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import same_state, state_of
from torch import Tensor, nn
from toy_training import RECIPE, Run

from linne.fit.checkpoint import Checkpoints
from linne.fit.mixing import Mix, mix_of
from linne.fit.order import Order
from linne.fit.sources import Batch, CachedActivations
from linne.nets.blocks.drop_path import DropPath
from linne.records.errors import LinneError, Stopped
from linne.records.progress import Silent
from linne.records.recipe import Recipe

EPOCHS, BATCHES = 3, 4


class Drawing(nn.Module):
    """A network in which much is drawn at random, and a batch norm."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first, self.norm, self.last = nn.Linear(2, 16), nn.BatchNorm1d(16), nn.Linear(16, 2)
        self.dropout, self.path = nn.Dropout(0.3), DropPath(0.2)

    def stages(self) -> list[nn.Module]:
        return [self.first, self.last]

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.norm(self.first(x.flatten(1))))
        return self.last(inner + self.path(self.dropout(inner)))


class Seeing(Drawing):
    """It has a convolution, whose weights lie in memory as images do."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(2, 16, 3, padding=1), nn.BatchNorm2d(16)

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.norm(self.first(x.expand(-1, -1, 4, 4)))).mean((2, 3))
        return self.last(inner + self.path(self.dropout(inner)))


class Cut(Exception):  # noqa: N818 - no error
    """The process dies."""


class CuttingOff(Silent):
    """Dies after so many batches."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0

    def update(self, done: float, note: str = "") -> None:
        self.seen += 1
        if self.seen == self.at:
            raise Cut


def recipes(**changes: object) -> tuple[Recipe, ...]:
    one = replace(RECIPE, average=0.5, **changes)
    return one, replace(one, learning_rate=1e-2)


def told(run: Run) -> list[tuple[object, ...]]:
    return [(e.level, e.epoch, e.loss, e.accuracy, e.log_loss) for e in run.done]


def assert_same_end(run: Run, whole: Run) -> None:
    assert told(run) == told(whole)
    assert [(line["level"], line["epoch"], line["loss"]) for line in run.lines()] == [
        (line["level"], line["epoch"], line["loss"]) for line in whole.lines()
    ]
    assert (run.best.epoch, run.best.log_loss) == (whole.best.epoch, whole.best.log_loss)
    assert same_state(state_of(run.module), state_of(whole.module))
    assert same_state(run.kept[-1], whole.kept[-1])


Make = Callable[[Path], Run]


def of(
    mixes: Callable[[int, int], Mix] | None = None,
    sampled: bool = False,
    network: type[nn.Module] = Drawing,
    **changes: object,
) -> Make:
    def make(folder: Path) -> Run:
        folder.mkdir(exist_ok=True)
        return Run(
            folder, EPOCHS, levels=recipes(**changes), make=network, mixes=mixes, sampled=sampled, seed=4, batch=16
        )

    return make


WAYS = {
    "plain": of(),
    "mixed and sampled": of(lambda epoch, batch: mix_of(4, epoch, batch), sampled=True),
    "lanes": of(lanes=2),
    "channels last": of(network=Seeing),
    "channels first": of(network=Seeing, channels_last=False),
    "accumulated": of(accumulation=3),
    "sgd": of(optimiser="sgd", schedule="trapezoid"),
    "muon": of(optimiser="muon"),
    "bfloat16": of(precision="bfloat16"),
}


@pytest.fixture(params=list(WAYS))
def make(request: pytest.FixtureRequest) -> Make:
    return WAYS[request.param]


def every(monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    """Let a checkpoint be due at every so-manieth question."""
    asked = itertools.count(1)
    monkeypatch.setattr(Checkpoints, "due", lambda _: next(asked) % batches == 0)


@pytest.mark.parametrize(
    ("at", "between"), [(1, 1), (2, 1), (4, 3), (5, 1), (7, 1000), (12, 1), (13, 1), (14, 3), (24, 1)]
)
def test_cut_off_at_any_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make, at: int, between: int
) -> None:
    whole = make(tmp_path / "whole")
    every(monkeypatch, 10**9)
    whole.go()
    assert len(whole.done) == 1 + 2 * EPOCHS
    every(monkeypatch, between)
    with pytest.raises(Cut):
        make(tmp_path / "cut").go(progress=CuttingOff(at))
    again = make(tmp_path / "cut")
    again.go()
    if not again.kept:  # nothing was better after the last checkpoint
        again.kept.append(state_of(again.module))
    assert_same_end(again, whole)


def test_cut_off_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = WAYS["mixed and sampled"](tmp_path / "whole")
    whole.go()
    every(monkeypatch, 1)
    for at in itertools.cycle([2, 3]):
        run = WAYS["mixed and sampled"](tmp_path / "cut")
        try:
            run.go(progress=CuttingOff(at))
        except Cut:
            continue
        break
    assert told(run) == told(whole)
    assert same_state(state_of(run.module), state_of(whole.module))


class Closing(CachedActivations):
    """Counts the epochs that are under way."""

    under_way = 0

    def epoch(self, epoch: int, first: int = 0) -> Generator[Batch, None, None]:
        self.under_way += 1
        try:
            yield from super().epoch(epoch, first)
        finally:
            self.under_way -= 1


def test_what_ends_the_training_ends_the_making_of_batches_first(tmp_path: Path) -> None:
    """Their threads read files that are closed next; an error that is looked at holds all that was under way."""
    run = WAYS["plain"](tmp_path)
    order = Order.of(len(run.values), 16, 4, None)
    run.source = source = Closing([run.values], run.labels, order)
    with pytest.raises(Cut) as end:
        run.go(progress=CuttingOff(2))
    assert end.value.__traceback__ is not None
    assert source.under_way == 0


class Telling(Silent):
    """Sends a signal to this process after so many batches."""

    def __init__(self, at: int, number: int) -> None:
        self.at, self.seen, self.number = at, 0, number

    def update(self, done: float, note: str = "") -> None:
        self.seen += 1
        if self.seen == self.at:
            assert threading.current_thread() is threading.main_thread()
            assert self.number not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
            assert signal.getsignal(self.number) not in (signal.SIG_DFL, None)
            signal.raise_signal(self.number)


@pytest.fixture
def heard(number: signal.Signals) -> Iterator[None]:
    """The signal is not ignored, though the tests may run under ``nohup``."""
    before = signal.signal(number, signal.SIG_DFL)
    yield
    signal.signal(number, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("at", [1, 4, 12, 13, 24])
def test_told_to_end_it_goes_on_from_the_very_step(tmp_path: Path, at: int, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    whole, run = WAYS["plain"](tmp_path / "whole"), WAYS["plain"](tmp_path / "cut")
    whole.go()
    with pytest.raises(Stopped) as end:
        run.go(progress=Telling(at, number))
    assert end.value.signal == number
    assert signal.getsignal(number) is before
    steps = CuttingOff(-1)
    again = WAYS["plain"](tmp_path / "cut")
    again.go(progress=steps)
    assert steps.seen == 2 * EPOCHS * BATCHES - at  # none is done again
    assert told(again) == told(whole)
    assert same_state(state_of(again.module), state_of(whole.module))


def test_under_nohup_a_closed_terminal_is_nothing(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert WAYS["plain"](tmp_path / "run").go(progress=Telling(2, signal.SIGHUP)) == ""
    finally:
        signal.signal(signal.SIGHUP, before)


def test_patience_ends_a_level_where_it_would_have_without_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_of(folder: Path) -> Run:
        folder.mkdir(exist_ok=True)
        run = Run(folder, 6, levels=(RECIPE, RECIPE))
        right = iter([0.5, 0.6, 0.4, 0.4, 0.4, 0.7, 0.3, 0.3, 0.3])
        done = (
            len(Checkpoints(folder / "last.safetensors", "toy").read()[1]["judge"]["done"])
            if folder.joinpath("last.safetensors").exists()
            else 0
        )
        for _ in range(done):
            next(right)

        def validate(predict: Callable[[Tensor], Tensor]) -> tuple[np.ndarray, np.ndarray]:
            share = next(right)
            guessed = np.where(np.arange(64) < 64 * share, run.labels, 1 - run.labels)
            return np.eye(2, dtype=np.float32)[guessed], np.arange(64)

        run.validate = validate
        return run

    whole = run_of(tmp_path / "whole")
    assert whole.go(patience=2) == "patience"
    assert [(e.level, e.epoch) for e in whole.done] == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 7), (1, 8), (1, 9), (1, 10)]
    assert whole.best.epoch == 8
    every(monkeypatch, 1)
    for at in range(1, 30):
        folder = tmp_path / f"cut at {at}"
        try:
            run_of(folder).go(patience=2, progress=CuttingOff(at))
        except Cut:
            run = run_of(folder)
            run.go(patience=2)
            assert told(run) == told(whole)
            assert run.best.epoch == 8


def test_the_batch_that_is_named_is_that_of_the_epoch_though_others_had_no_images(tmp_path: Path) -> None:
    run = Run(tmp_path)
    poisoned = Poisoned(run.source, 2, 3, np.nan)

    class Gone(Poisoned):
        def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
            for number, (inputs, labels) in enumerate(poisoned.epoch(epoch, first), first):
                yield (inputs[:0], labels[:0]) if number == 1 else (inputs, labels)

    run.source = Gone(run.source, 0, 0, 1)
    with pytest.raises(LinneError) as error:
        run.go()
    assert "epoch 2, batch 3: image 3 of 2" in str(error.value.value)


class Clock(Silent):
    """A step takes a second, and later ten."""

    def __init__(self, slow_from: int = 10**9) -> None:
        self.now, self.seen, self.slow_from = 0.0, 0, slow_from

    def update(self, done: float, note: str = "") -> None:
        self.seen += 1
        self.now += 1 if self.seen < self.slow_from else 10


def test_a_checkpoint_knows_of_the_hurry_that_begins_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every(monkeypatch, 1)
    run, clock, found = Run(tmp_path), Clock(slow_from=12), []

    class Watching(Clock):
        def update(self, done: float, note: str = "") -> None:
            clock.update(done)
            kept = run.checkpoints.read()[1]["position"]["hurried"]
            found.append((run.loop.position.hurried, None if kept is None else tuple(kept)))

    run.go(deadline=60, progress=Watching(), now=lambda: clock.now)
    assert {now is None for now, _ in found} == {True, False}
    assert all(now == kept for now, kept in found)


def test_told_to_end_while_the_last_epoch_is_judged_it_is_not_judged_again(tmp_path: Path) -> None:
    """The deadline has ended it in the middle."""
    clock, run = Clock(), Run(tmp_path)
    plain = run.validate

    def signalled(predict: Callable[[Tensor], Tensor]) -> tuple[np.ndarray, np.ndarray]:
        if clock.now >= 6:
            signal.raise_signal(signal.SIGTERM)
        return plain(predict)

    run.validate = signalled
    with pytest.raises(Stopped):
        run.go(deadline=5.5, progress=clock, now=lambda: clock.now)
    assert [epoch.epoch for epoch in run.done] == [0, 1, 2]
    again = Run(tmp_path)
    assert again.go(deadline=5.5, now=lambda: clock.now) == "deadline"
    assert told(again) == told(run)
    assert len(again.lines()) == 3


def test_images_that_could_not_be_read_and_why_a_level_ended_are_not_forgotten(tmp_path: Path) -> None:
    run = Run(tmp_path, epochs=1)
    run.go()
    run.loop.failed[7] = "is gone"
    run.loop.position.stopped = "patience"
    run.loop.checkpoint(None)
    again = Run(tmp_path, epochs=1)
    again.go()
    assert again.loop.failed == {7: "is gone"}
    assert again.loop.position.stopped == "patience"


class Poisoned:
    """From some batch on what is trained on is no number."""

    def __init__(self, source: object, epoch: int, batch: int, value: float) -> None:
        self.source, self.at, self.value = source, (epoch, batch), value
        self.images, self.batch_size, self.waited, self.failed = 64, 16, 0.0, {}

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        for number, (inputs, labels) in enumerate(self.source.epoch(epoch, first), first):
            yield (inputs * self.value if (epoch, number) == self.at else inputs), labels


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])  # the last: a loss that is a number, a gradient that is none
def test_a_loss_that_is_no_number_names_the_batch_and_spoils_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    every(monkeypatch, 1)
    run = Run(tmp_path)
    run.source = Poisoned(run.source, 3, 2, value)
    with pytest.raises(LinneError) as error:
        run.go()
    assert "epoch 3, batch 2: image 2 of 3" in str(error.value.value)
    assert same_state(run.kept[-1], run.module.state_dict())
    assert all(torch.isfinite(weight).all() for weight in run.module.parameters())
    tensors, facts = run.checkpoints.read()
    assert all(value.isfinite().all() for value in tensors.values())
    assert (facts["position"]["epoch"], facts["position"]["batches"]) == (3, 2)
    mended = Run(tmp_path)
    mended.go()
    whole = Run(tmp_path.parent, epochs=8)
    assert len(mended.done) == 9 == 1 + whole.epochs
