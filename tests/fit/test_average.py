"""Is our moving average torch's, and are the trained weights put back?"""

from __future__ import annotations

import pytest
import torch
from small_networks import same_state, state_of
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from linne.fit.average import Average
from linne.records.errors import LinneError


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 3))


def train(module: nn.Module, step: int) -> None:
    """Change every weight and every statistic."""
    generator = torch.Generator().manual_seed(step)
    module.train()(torch.randn(5, 1, 8, 8, generator=generator))
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator))


@pytest.mark.parametrize("decay", [0.05, 0.9])
def test_equal_to_torchs(decay: float) -> None:
    module, updates = network(), 0

    def warmed(averages: list[torch.Tensor], values: list[torch.Tensor], done: torch.Tensor) -> None:
        get_ema_multi_avg_fn(min(decay, (1 + updates) / (10 + updates)))(averages, values, done)

    theirs = AveragedModel(module, multi_avg_fn=warmed, use_buffers=True)
    theirs.update_parameters(module)  # its first update is a copy
    ours = Average(module, decay)
    for step in range(20):
        train(module, step)
        ours.update(module)
        theirs.update_parameters(module)
        updates += 1
        with ours.swapped(module):
            for name, tensor in theirs.module.state_dict().items():
                if tensor.is_floating_point():
                    assert torch.equal(module.state_dict()[name], tensor)
    assert int(ours.state()["average.1.num_batches_tracked"]) == 20


@pytest.mark.parametrize("how", [None, KeyboardInterrupt])
def test_the_trained_weights_are_put_back_bit_for_bit(how: type[BaseException] | None) -> None:
    module = network()
    average = Average(module, 0.9)
    first = state_of(module)
    train(module, 0)
    trained, places = state_of(module), [p.data_ptr() for p in module.parameters()]
    try:
        with average.swapped(module):
            assert same_state(state_of(module), first)
            if how is not None:
                raise how
    except KeyboardInterrupt:
        pass
    assert same_state(state_of(module), trained)
    assert [p.data_ptr() for p in module.parameters()] == places
    with average.swapped(module):
        assert same_state(state_of(module), first)


def test_frozen_weights_take_no_memory() -> None:
    module = network()
    module[0].requires_grad_(False)  # type: ignore[index]
    average = Average(module, 0.9)
    assert not any(name.startswith("average.0.") for name in average.state())
    train(module, 0)
    average.update(module)
    with average.swapped(module):
        assert same_state(state_of(module[0]), state_of(network()[0]))  # type: ignore[index]


def test_goes_on_from_its_state_bit_for_bit() -> None:
    module = network()
    going_on = Average(module, 0.9)
    for step in range(5):
        train(module, step)
        going_on.update(module)
    after = Average(network(), 0.9)
    after.load({name: tensor.clone() for name, tensor in going_on.state().items()})
    train(module, 5)
    for average in (going_on, after):
        average.update(module)
    assert same_state(going_on.state(), after.state())


def test_the_state_of_another_module_is_refused() -> None:
    with pytest.raises(LinneError):
        Average(network(), 0.9).load(Average(nn.Linear(2, 3), 0.9).state())
