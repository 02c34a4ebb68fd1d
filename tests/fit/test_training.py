"""Does training learn, keep the best, and stop when it should?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import normal, same_state, small_network, small_pixels, state_of
from torch import Tensor, nn

from linne.fit.optimise import Settings, Trainer
from linne.fit.sources import Batch, CachedActivations
from linne.fit.tail import Tail
from linne.fit.train import Outcome, train
from linne.records.errors import LinneError
from linne.records.progress import Silent

CPU = torch.device("cpu")
SETTINGS = Settings(learning_rate=5e-2, weight_decay=0.01, label_smoothing=0.0, precision="float32", pretrained=True)


class Toy(nn.Module):
    """Two numbers an image to two classes."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.layer = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.flatten(1))


def separable(images: int = 64) -> tuple[np.ndarray, np.ndarray]:
    values = normal(images, 2, 1, 1)
    return values.astype(np.float16), (values[:, 0, 0, 0] > values[:, 1, 0, 0]).astype(np.int64)


class Run:
    """A training run of the toy, with what it left."""

    def __init__(self, folder: Path, epochs: int = 8, seed: int = 0, batch: int = 16) -> None:
        self.values, self.labels = separable()
        self.module = Toy(seed)
        self.start = state_of(self.module)
        self.epochs, self.history = epochs, folder / "history.jsonl"
        self.kept: list[dict[str, Tensor]] = []
        self.source = CachedActivations(self.values, self.labels, batch, seed)
        self.settings = SETTINGS

    def validate(self, predict: Callable[[Tensor], Tensor]) -> tuple[np.ndarray, np.ndarray]:
        return predict(torch.from_numpy(self.values).float()).numpy(), np.arange(len(self.values))

    def go(self, deadline: float | None = None, progress: Silent | None = None, device: torch.device = CPU) -> Outcome:
        return train(
            Trainer(self.module, self.settings, device, small_pixels()),
            self.source,
            self.epochs,
            self.validate,
            self.labels,
            deadline,
            self.history,
            lambda: self.kept.append(state_of(self.module)),
            progress or Silent(),
        )

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.history.read_text().splitlines()]


def test_a_separable_problem_is_learnt(tmp_path: Path) -> None:
    run = Run(tmp_path, epochs=30)
    outcome = run.go()
    assert outcome.stopped == ""
    assert len(outcome.epochs) == 31
    assert outcome.best.accuracy >= 0.95 > outcome.epochs[0].accuracy
    assert outcome.epochs[-1].loss < outcome.epochs[1].loss
    assert not run.module.training


def test_the_module_and_what_was_kept_are_the_best(tmp_path: Path) -> None:
    run = Run(tmp_path)
    outcome = run.go()
    assert same_state(run.kept[-1], run.module.state_dict())
    ranks = [(epoch.accuracy, -epoch.log_loss) for epoch in outcome.epochs]
    assert outcome.best == outcome.epochs[ranks.index(max(ranks))]
    assert len(run.kept) == sum(rank > max(ranks[:i], default=(-1, 0)) for i, rank in enumerate(ranks))


class Spoiling:
    """Good labels in the first epochs, wrong ones after."""

    def __init__(self, source: CachedActivations, good: int = 2) -> None:
        self.source, self.images, self.batch_size, self.good = source, source.images, source.batch_size, good
        self.waited, self.failed = 0.0, {}

    def epoch(self, epoch: int) -> Iterator[Batch]:
        for inputs, labels in self.source.epoch(epoch):
            yield inputs, labels if epoch <= self.good else 1 - labels


def test_later_epochs_that_are_worse_are_not_kept(tmp_path: Path) -> None:
    run = Run(tmp_path, epochs=10)
    run.source = Spoiling(run.source)
    outcome = run.go()
    assert 1 <= outcome.best.epoch <= 4  # momentum carries on for a while
    assert outcome.epochs[-1].accuracy < outcome.best.accuracy
    logits = run.validate(lambda x: run.module(x).detach())[0]
    assert (logits.argmax(1) == run.labels).mean() == outcome.best.accuracy
    assert same_state(run.kept[-1], run.module.state_dict())


def test_a_start_that_is_best_is_kept(tmp_path: Path) -> None:
    run = Run(tmp_path, epochs=3)
    with torch.no_grad():
        run.module.layer.weight.copy_(torch.tensor([[-50.0, 50.0], [50.0, -50.0]]))
        run.module.layer.bias.zero_()
    run.source = Spoiling(run.source, good=0)
    start = state_of(run.module)
    outcome = run.go()
    assert outcome.best.epoch == 0
    assert same_state(start, run.module.state_dict())
    assert len(run.kept) == 1


def test_a_deadline_in_the_past_stops_at_once(tmp_path: Path) -> None:
    run = Run(tmp_path)
    outcome = run.go(deadline=time.monotonic() - 1)
    assert outcome.stopped == "deadline"
    assert [epoch.epoch for epoch in outcome.epochs] == [0]
    assert same_state(run.start, run.module.state_dict())
    assert same_state(run.start, run.kept[-1])


def test_training_leaves_time_to_validate_before_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock on which a step takes one second and a validation ten."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
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
    outcome = run.go(deadline=57, progress=Ticking())
    assert outcome.stopped == "deadline"
    assert 46 < now <= 58  # the last step began when all of a validation could follow
    assert len(outcome.epochs) >= 2


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
    outcome = run.go()
    assert outcome.stopped == "interrupt"
    assert [epoch.epoch for epoch in outcome.epochs] == [0]
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
    outcome = run.go(progress=progress)
    assert outcome.stopped == "interrupt"
    assert len(outcome.epochs) == len(run.lines()) == epochs
    assert progress.finished == 1
    assert same_state(run.kept[-1], run.module.state_dict())
    logits = run.validate(lambda x: run.module(x).detach())[0]
    assert (logits.argmax(1) == run.labels).mean() == outcome.best.accuracy


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
    outcome = run.go()
    assert outcome.stopped == "interrupt"
    assert same_state(run.kept[-1], run.module.state_dict())
    logits = run.validate(lambda x: run.module(x).detach())[0]
    assert (logits.argmax(1) == run.labels).mean() == outcome.best.accuracy


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_no_number_is_an_error_and_the_best_is_in_place(tmp_path: Path, value: float) -> None:
    run = Run(tmp_path)
    good = run.source

    class Poisoned(Spoiling):
        def epoch(self, epoch: int) -> Iterator[Batch]:
            for inputs, labels in self.source.epoch(epoch):
                yield (inputs if epoch < 3 else inputs * value), labels

    run.source = Poisoned(good)
    with pytest.raises(LinneError):
        run.go()
    assert same_state(run.kept[-1], run.module.state_dict())
    assert all(torch.isfinite(weight).all() for weight in run.module.parameters())


def test_history_has_a_line_an_epoch(tmp_path: Path) -> None:
    run = Run(tmp_path, epochs=3)
    outcome = run.go()
    lines = run.lines()
    assert [line["epoch"] for line in lines] == [0, 1, 2, 3]
    assert lines[0]["loss"] is None
    assert lines[0]["rate"] is None
    assert all(line["loss"] > 0 and line["rate"] > 0 for line in lines[1:])
    assert [line["accuracy"] for line in lines] == [epoch.accuracy for epoch in outcome.epochs]
    assert [line["seconds"] for line in lines] == sorted(line["seconds"] for line in lines)


@pytest.mark.parametrize("stage", [16, 0])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(tmp_path: Path, stage: int) -> None:
    shape = (8, 56, 2, 2) if stage else (8, 3, 64, 64)
    values, labels, states = normal(*shape).astype(np.float16), np.arange(8) % 3, []
    certainty = iter(range(100))  # every epoch is better than the one before, so that the last is kept
    for number in range(2):
        network = small_network(classes=3)
        torch.manual_seed(11)  # dropout draws from it
        train(
            Trainer(Tail(network, stage), SETTINGS, CPU, small_pixels()),
            CachedActivations(values, labels, 4, 0),
            2,
            lambda predict: (np.eye(3, dtype=np.float32)[labels] * next(certainty), np.arange(8)),
            labels,
            None,
            tmp_path / f"{number}.jsonl",
            lambda: None,
            Silent(),
        )
        states.append(state_of(network))
    assert same_state(*states)
    assert not same_state(states[0], small_network(classes=3).state_dict())
