"""Does the learning rate rise and fall as it should?"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from linne.fit.schedule import COOL_DOWN, Kind, factor

STEPS = 100


def reference(kind: Kind, warm_up: int) -> list[float]:
    """torch's own schedules, joined, step by step."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    of = torch.optim.lr_scheduler
    rise = of.LinearLR(optimiser, 1e-9, 1.0, warm_up)
    if kind == "cosine":
        joined = of.SequentialLR(optimiser, [rise, of.CosineAnnealingLR(optimiser, STEPS - warm_up)], [warm_up])
    else:
        cool = round(COOL_DOWN * STEPS)
        flat, fall = of.ConstantLR(optimiser, 1.0), of.LinearLR(optimiser, 1.0, 0.0, cool)
        joined = of.SequentialLR(optimiser, [rise, flat, fall], [warm_up, STEPS - cool])
    found = []
    for _ in range(STEPS + 1):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        joined.step()
    return found


@pytest.mark.parametrize("kind", ["cosine", "trapezoid"])
@pytest.mark.parametrize("warm_up", [5, 10, 50])
def test_is_torchs(kind: Kind, warm_up: int) -> None:
    found = [factor(kind, step / STEPS, warm_up / STEPS) for step in range(STEPS + 1)]
    expected = [max(rate, 0.02) if step < warm_up else rate for step, rate in enumerate(reference(kind, warm_up))]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)


@given(
    kind=st.sampled_from(["cosine", "trapezoid"]), warm_up=st.floats(0, 0.99), at=st.lists(st.floats(0, 1), min_size=2)
)
def test_rises_then_falls_to_nothing(kind: Kind, warm_up: float, at: list[float]) -> None:
    assert factor(kind, 0.0, warm_up) > 0
    assert factor(kind, warm_up, warm_up) == 1.0
    assert factor(kind, 1.0, warm_up) == factor(kind, 1.5, warm_up) == pytest.approx(0, abs=1e-12)
    found = [(progress, factor(kind, progress, warm_up)) for progress in sorted(at)]
    for (one, before), (other, after) in itertools.pairwise(found):
        assert 0 <= before <= 1
        assert before <= after + 1e-12 if other < warm_up else one < warm_up or after <= before + 1e-12


def test_a_cosine_is_half_at_the_middle_and_a_trapezoid_is_flat() -> None:
    assert factor("cosine", 0.55, 0.1) == pytest.approx(0.5)
    assert factor("cosine", 0.325, 0.1) == pytest.approx(0.5 * (1 + math.sqrt(0.5)))
    assert [factor("trapezoid", at, 0.1) for at in (0.05, 0.1, 0.4, 0.7)] == [0.5, 1.0, 1.0, 1.0]
    assert factor("trapezoid", 0.85, 0.1) == pytest.approx(0.5)
