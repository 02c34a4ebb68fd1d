"""Is our AdamW torch's?"""

from __future__ import annotations

import pytest
import torch
from paired_networks import gradients, networks, parts
from small_networks import same_state, small_network
from torch import nn

from linne.fit.adamw import AdamW
from linne.fit.groups import Group
from linne.records.errors import LinneError

RATES = (1.0, 0.7)


def test_equal_to_torchs_over_many_steps() -> None:
    ours, theirs = networks()
    (matrices, vectors), (their_matrices, their_vectors) = parts(ours), parts(theirs)
    mine = AdamW([Group(matrices, 0.05, RATES[0]), Group(vectors, 0.0, RATES[1])])
    torchs = torch.optim.AdamW(
        [{"params": their_matrices, "weight_decay": 0.05}, {"params": their_vectors, "weight_decay": 0.0}], lr=1.0
    )
    for step in range(30):
        learning_rate = 3e-3 * (1 - step / 30)
        for group, rate in zip(torchs.param_groups, RATES, strict=True):
            group["lr"] = learning_rate * rate
        gradients(ours, step)
        gradients(theirs, step)
        mine.step(learning_rate)
        torchs.step()
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
            assert one.grad is None


def test_gradients_in_another_memory_order_move_the_same_values() -> None:
    one, other = (nn.Conv2d(3, 4, 3, bias=False).to(memory_format=torch.channels_last) for _ in range(2))
    other.load_state_dict(one.state_dict())
    gradient = torch.randn(one.weight.shape, generator=torch.Generator().manual_seed(0))
    one.weight.grad, other.weight.grad = gradient.contiguous(memory_format=torch.channels_last), gradient
    assert one.weight.grad.stride() != other.weight.grad.stride()
    for network in (one, other):
        AdamW([Group((network.weight,), 0.05)]).step(1e-2)
    assert torch.equal(one.weight, other.weight)


def test_a_parameter_without_a_gradient_stays() -> None:
    network = small_network()
    weight = network.classifier.weight
    before = weight.detach().clone()
    AdamW([Group((weight,), 0.05)]).step(0.1)
    assert torch.equal(weight, before)


def test_goes_on_from_its_state_bit_for_bit() -> None:
    going_on, stopped = networks()
    first = AdamW([Group(tuple(going_on.parameters()), 0.05)])
    before = AdamW([Group(tuple(stopped.parameters()), 0.05)])
    for step in range(3):
        for network, optimiser in ((going_on, first), (stopped, before)):
            gradients(network, step)
            optimiser.step(1e-2)
    kept = {name: tensor.clone() for name, tensor in before.state().items()}
    after = AdamW([Group(tuple(stopped.parameters()), 0.05)])
    after.load(kept)
    for step in range(3, 6):
        for network, optimiser in ((going_on, first), (stopped, after)):
            gradients(network, step)
            optimiser.step(1e-2)
    assert same_state(going_on.state_dict(), stopped.state_dict())
    assert same_state(first.state(), after.state())


def test_the_state_of_another_training_is_refused_and_changes_nothing() -> None:
    network = networks()[0]
    optimiser = AdamW([Group(tuple(network.parameters()), 0.05)])
    gradients(network, 0)
    optimiser.step(1e-2)
    before = {name: tensor.clone() for name, tensor in optimiser.state().items()}
    fewer = {name: torch.ones_like(tensor) for name, tensor in before.items() if name != "mean.1"}
    longer = {**before, "mean.1": torch.zeros(7)}
    for other in (fewer, {**before, "mean.99": torch.zeros(1)}, longer):
        with pytest.raises(LinneError):
            optimiser.load(other)
        assert same_state(optimiser.state(), before)
