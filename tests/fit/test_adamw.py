"""Is our AdamW torch's?"""

from __future__ import annotations

import pytest
import torch
from paired_networks import gradients, networks, parts
from small_networks import same_state, small_network

from linne.fit.adamw import AdamW
from linne.fit.groups import Group
from linne.records.errors import LinneError

RATES = (1.0, 0.7)


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_equal_to_torchs_over_many_steps(at_once: bool) -> None:
    ours, theirs = networks()
    (matrices, vectors), (their_matrices, their_vectors) = parts(ours), parts(theirs)
    mine = AdamW([Group(matrices, 0.05, RATES[0]), Group(vectors, 0.0, RATES[1])], at_once)
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


def test_at_once_is_one_by_one_bit_for_bit() -> None:
    one, other = networks()
    optimisers = [
        AdamW([Group(parts(network)[0], 0.05, 0.7), Group(parts(network)[1], 0.0)], at_once)
        for network, at_once in ((one, False), (other, True))
    ]
    for step in range(5):
        for network, optimiser in zip((one, other), optimisers, strict=True):
            gradients(network, step)
            optimiser.step(1e-3)
    assert same_state(one.state_dict(), other.state_dict())


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_a_parameter_without_a_gradient_stays(at_once: bool) -> None:
    network = small_network()
    weight = network.classifier.weight
    before = weight.detach().clone()
    AdamW([Group((weight,), 0.05)], at_once).step(0.1)
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
