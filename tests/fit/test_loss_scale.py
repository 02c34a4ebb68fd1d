"""Does the factor of the loss move as torch's own does?"""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from toy_training import trainer_of

from linne.fit import loss_scale
from linne.fit.loss_scale import LossScale
from linne.records.recipe import Recipe


def torchs(overflows: list[bool], start: float, steps: int) -> list[float]:
    """The scale of `torch.amp.GradScaler` after each step, by the kernel that moves it."""
    scale, growth = torch.tensor(start), torch.zeros((), dtype=torch.int32)
    found = []
    for overflow in overflows:
        torch._amp_update_scale_(scale, growth, torch.tensor(float(overflow)), 2.0, 0.5, steps)
        found.append(float(scale))
    return found


@given(overflows=st.lists(st.booleans(), max_size=60), steps=st.integers(1, 6))
def test_it_is_that_of_grad_scaler(overflows: list[bool], steps: int) -> None:
    scale = LossScale(active=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loss_scale, "GROWTH_STEPS", steps)
        found = []
        for overflow in overflows:
            norm = torch.tensor(torch.inf if overflow else 1.0)
            least = scale.value <= loss_scale.LEAST
            assert scale.worked(norm) == (least or not overflow)
            found.append(scale.value)
    expected = torchs(overflows, loss_scale.START, steps)
    lowest = next((i for i, value in enumerate(expected) if value < 2.0**-14), len(expected))
    assert found[:lowest] == expected[:lowest]
    assert all(value >= loss_scale.LEAST for value in found)  # torch's own halves on, down to nothing


def test_start_and_growth_are_those_of_grad_scaler() -> None:
    reference = torch.amp.GradScaler("cpu")
    assert reference.get_scale() == loss_scale.START
    assert reference.get_growth_interval() == loss_scale.GROWTH_STEPS


def test_no_number_is_an_overflow_too() -> None:
    scale = LossScale(active=True)
    assert not scale.worked(torch.tensor(torch.nan))
    assert scale.value == loss_scale.START / 2


def test_gradients_are_undone_exactly_and_those_that_are_not_there_left() -> None:
    scale = LossScale(active=True)
    with_gradient, without = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    with_gradient.grad = scale.value * torch.tensor([1.0, 2.0, 3.0])
    scale.undo([with_gradient, without])
    assert with_gradient.grad.tolist() == [1, 2, 3]
    assert without.grad is None


def test_of_no_gradients_none_is_undone() -> None:
    parameter = nn.Parameter(torch.ones(3))
    LossScale(active=True).undo([parameter])
    assert parameter.grad is None


class Steep(nn.Linear):
    """Its logits are numbers, its gradients never."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = super().forward(x.flatten(1))
        logits.register_hook(lambda gradient: gradient * torch.inf)
        return logits


def test_gradients_that_overflow_by_any_factor_are_told() -> None:
    trainer = trainer_of(Steep(2, 2), Recipe("whole", precision="float16"))
    trainer._lanes._precision = torch.float32  # only the factor matters here
    inputs, labels = torch.ones(4, 2, 1, 1), torch.arange(4) % 2
    losses = [float(trainer.step(inputs, labels, 0.5, (0, step))) for step in range(31)]
    assert all(map(math.isfinite, losses[:30]))
    assert math.isnan(losses[30])


def test_without_float16_it_is_one_and_stays() -> None:
    scale = LossScale(active=False)
    assert scale.worked(torch.tensor(torch.inf))
    assert scale.value == 1


def test_it_goes_on_from_its_state() -> None:
    one, other = LossScale(active=True), LossScale(active=True)
    for step in range(7):
        one.worked(torch.tensor(torch.inf if step == 3 else 1.0))
    other.load(one.state())
    assert (other.value, other._good) == (one.value, one._good) == (loss_scale.START / 2, 3)
