"""What a terminal shows of a training, and what a pipe gets."""

from __future__ import annotations

import io

from rich.console import Console

from linne.cli.progress import Terminal
from linne.records.epoch import Epoch


def epochs(number: int) -> list[Epoch]:
    start = Epoch(0, 0, None, 0.5, 1.2, 1.0, None)
    return [start, *(Epoch(0, n, 1 / n, 0.5 + 0.4 * n / number, 1.0, float(n), 100.0) for n in range(1, number + 1))]


def shown(terminal: bool, number: int) -> str:
    told, file = Terminal(), io.StringIO()
    told.console = Console(file=file, force_terminal=terminal, width=80, highlight=False, color_system=None)
    told.start("train", 10, "images")
    for epoch in epochs(number):
        told.epoch(epoch)
    told.update(10)
    told.finish()
    return file.getvalue()


def is_curve(line: str) -> bool:
    return any(0x2800 < ord(character) < 0x2900 for character in line)


def test_a_pipe_gets_a_line_an_epoch_and_no_curves() -> None:
    lines = [line for line in shown(False, 3).splitlines() if line.startswith("epoch ")]
    assert [line.split(":")[0] for line in lines] == ["epoch 1", "epoch 2", "epoch 3"]
    assert "loss 0.333" in lines[-1]
    assert "validation 0.900" in lines[-1]
    assert "best 0.900" in lines[-1]
    assert not any(map(is_curve, shown(False, 3).splitlines()))


def test_a_terminal_draws_curves_that_stay() -> None:
    text = shown(True, 5)
    stays = text.rsplit("train: ", 1)[0].splitlines()[-8:]
    assert "training loss 0.200" in stays[0]
    assert "validation accuracy 0.900" in stays[0]
    assert any(map(is_curve, stays))
    assert "epoch 1:" not in text


def test_one_epoch_is_no_curve() -> None:
    assert "training loss" not in shown(True, 1)
