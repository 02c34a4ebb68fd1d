"""Is our AdamW torch's?"""

from __future__ import annotations

import pytest
import torch
from small_networks import small_network
from torch import nn

from linne.fit.adamw import AdamW
from linne.nets import create


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_equal_to_torchs_over_many_steps(at_once: bool) -> None:
    networks = []
    for _ in range(2):
        torch.manual_seed(0)
        networks.append(create("lenet5"))
    ours, theirs = networks

    def groups(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        every = list(network.parameters())
        return [p for p in every if p.ndim > 1], [p for p in every if p.ndim <= 1]

    (matrices, vectors), (their_matrices, their_vectors) = groups(ours), groups(theirs)
    mine = AdamW([(matrices, 0.05), (vectors, 0.0)], at_once)
    torchs = torch.optim.AdamW(
        [{"params": their_matrices, "weight_decay": 0.05}, {"params": their_vectors, "weight_decay": 0.0}], lr=1.0
    )
    generator = torch.Generator().manual_seed(0)
    for step in range(30):
        rate = 3e-3 * (1 - step / 30)
        for group in torchs.param_groups:
            group["lr"] = rate
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            one.grad = torch.randn(one.shape, generator=generator) * 10 ** (step % 5 - 3)
            other.grad = one.grad.clone()
        mine.step(rate)
        torchs.step()
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
            assert one.grad is None


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_a_parameter_without_a_gradient_stays(at_once: bool) -> None:
    network = small_network()
    weight = network.classifier.weight
    before = weight.detach().clone()
    AdamW([([weight], 0.05)], at_once).step(0.1)
    assert torch.equal(weight, before)
