"""Which epoch is kept: the one that is right most often, or the last one if that is as good but for noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from linne.fit.judge import Judge

IMAGES = 100


def logits(wrong: range) -> np.ndarray:
    """Say 1 of images that are `wrong`, and 0, which is true, of all others."""
    said = np.zeros(IMAGES, np.int64)
    said[list(wrong)] = 1
    return np.eye(2, dtype=np.float32)[said]


def best_of(folder: Path, epochs: list[range], final: int) -> int:
    """Of epochs that are wrong of these images, 0 the start, the number of the one that is kept."""
    judge = Judge(np.zeros(IMAGES, np.int64), folder / "history.jsonl", lambda: None, lambda: 0.0)
    for number, wrong in enumerate(epochs):
        found, weights = (logits(wrong), np.arange(IMAGES)), {"n": torch.tensor(number)}
        judge.epoch(
            (0, number),
            None,
            None,
            lambda _, found=found: found,
            lambda x: x,
            lambda weights=weights: weights,
            final=number == final,
        )
    assert judge.best is not None
    assert judge.best.weights["n"] == judge.best.epoch.epoch
    return judge.best.epoch.epoch


START, BEST = range(40), range(10)


@pytest.mark.parametrize(
    ("last", "kept"),
    [
        (range(13), 1),  # wrong of 3 more, and never right where the best is not: sqrt(3) is noise
        (range(11), 2),  # 1 of 1
        (range(5, 18), 2),  # 3 of 13
        (range(5, 20), 1),  # 5 of 15
        (range(9), 2),
    ],
)
def test_the_last_epoch_may_be_worse_by_noise(tmp_path: Path, last: range, kept: int) -> None:
    assert best_of(tmp_path, [START, BEST, last], final=2) == kept


def test_an_epoch_before_the_last_may_not(tmp_path: Path) -> None:
    assert best_of(tmp_path, [START, BEST, range(11)], final=-1) == 1
    assert best_of(tmp_path, [START, BEST, range(11), range(30)], final=3) == 1


def test_none_that_is_no_better_than_the_start_is_kept(tmp_path: Path) -> None:
    assert best_of(tmp_path, [START, range(1, 41)], final=1) == 0
    assert best_of(tmp_path, [range(10), range(5, 14), range(5, 16)], final=2) == 1


def test_a_network_that_diverged_in_its_last_step_is_not_kept(tmp_path: Path) -> None:
    judge = Judge(np.zeros(4, np.int64), tmp_path / "history.jsonl", lambda: None, lambda: 0.0)
    start, diverged = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]], np.full((4, 2), np.nan, np.float32)
    for number, said in enumerate((start, diverged)):
        found = (said, np.arange(4))
        judge.epoch((0, number), None, None, lambda _, found=found: found, lambda x: x, dict, final=number == 1)
    assert judge.done[1].accuracy > judge.done[0].accuracy  # of no numbers the first is taken for the largest
    assert judge.best is not None
    assert judge.best.epoch.epoch == 0
    told = (tmp_path / "history.jsonl").read_text().splitlines()
    lines = [json.loads(line, parse_constant=pytest.fail) for line in told]
    assert [line["log_loss"] is None for line in lines] == [False, True]
