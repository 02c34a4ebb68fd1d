"""Is our SGD torch's?"""

from __future__ import annotations

import pytest
import torch
from paired_networks import gradients, networks, parts
from small_networks import same_state

from linne.fit.groups import Group
from linne.fit.sgd import SGD

RATES = (1.0, 0.7)


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_equal_to_torchs_over_many_steps(at_once: bool) -> None:
    ours, theirs = networks()
    (matrices, vectors), (their_matrices, their_vectors) = parts(ours), parts(theirs)
    mine = SGD([Group(matrices, 0.05, RATES[0]), Group(vectors, 0.0, RATES[1])], at_once)
    torchs = torch.optim.SGD(
        [{"params": their_matrices, "weight_decay": 0.05}, {"params": their_vectors}],
        lr=1.0,
        momentum=0.9,
        nesterov=True,
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


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_a_parameter_without_a_gradient_stays(at_once: bool) -> None:
    network = networks()[0]
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    SGD([Group(tuple(network.parameters()), 0.05)], at_once).step(0.1)
    assert same_state(network.state_dict(), before)


def test_goes_on_from_its_state_bit_for_bit() -> None:
    going_on, stopped = networks()
    first, before = (SGD([Group(tuple(network.parameters()), 0.05)]) for network in (going_on, stopped))
    for step in range(3):
        for network, optimiser in ((going_on, first), (stopped, before)):
            gradients(network, step)
            optimiser.step(1e-2)
    kept = {name: tensor.clone() for name, tensor in before.state().items()}
    after = SGD([Group(tuple(stopped.parameters()), 0.05)])
    after.load(kept)
    for network, optimiser in ((going_on, first), (stopped, after)):
        gradients(network, 3)
        optimiser.step(1e-2)
    assert same_state(going_on.state_dict(), stopped.state_dict())
    assert same_state(first.state(), after.state())
