"""Do all optimisers learn, and do the same on a GPU?"""

from __future__ import annotations

import copy

import pytest
import torch
from paired_networks import gradients, networks
from torch import nn

from linne.embed.backends import device
from linne.fit.adamw import AdamW
from linne.fit.groups import Group, parameter_groups
from linne.fit.muon import Muon, hidden_weights
from linne.fit.optimisers import Optimiser, make_optimiser
from linne.fit.sgd import SGD


@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_every_optimiser_lowers_a_loss(name: str, channels_last: bool) -> None:
    network = networks("resnet20_cifar")[0].train()
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
    optimiser = make_optimiser(name, network, parameter_groups(network, 0, 0.0, 0.8))  # type: ignore[arg-type]
    images, labels = torch.randn(10, 3, 16, 16, generator=torch.Generator().manual_seed(0)), torch.arange(10)
    losses = []
    for _ in range(20):
        loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        losses.append(float(loss.detach()))
        optimiser.step(0.05 if name == "sgd" else 3e-3)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.skipif(device().type != "cuda", reason="needs a GPU")
@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
def test_a_gpu_moves_all_at_once_what_a_cpu_moves_one_by_one(name: str) -> None:
    def optimiser_of(network: nn.Module, groups: tuple[Group, ...]) -> Optimiser:
        if name == "muon":
            return Muon(groups, hidden_weights(network), dtype=torch.float32)
        return AdamW(groups) if name == "adamw" else SGD(groups)

    here = networks("resnet20_cifar")[0].to(memory_format=torch.channels_last)
    there = copy.deepcopy(here).to(device())
    pair = [(each, optimiser_of(each, parameter_groups(each, 0, 0.05, 0.9))) for each in (here, there)]
    for step in range(5):
        gradients(here, step)
        for one, other in zip(here.parameters(), there.parameters(), strict=True):
            other.grad = one.grad.to(device())  # type: ignore[union-attr]
        for _, optimiser in pair:
            optimiser.step(1e-3)
    for one, other in zip(here.parameters(), there.parameters(), strict=True):
        torch.testing.assert_close(one, other.cpu(), rtol=0, atol=1e-5)
    kept = {key: tensor.cpu() for key, tensor in pair[1][1].state().items()}
    pair[0][1].load(kept)
    for key, tensor in pair[0][1].state().items():
        assert torch.equal(tensor, kept[key])
