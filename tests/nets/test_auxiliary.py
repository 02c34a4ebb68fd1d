"""Heads that only training uses: are they torchvision's, and does everything else work without them?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from families import images_for, lively_network
from references import Reference, noise
from safetensors.torch import save_file
from small_networks import same_state, state_of
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from linne.nets import create
from linne.nets.catalogue import entry
from linne.nets.weights import read_weights

HEADS = {"googlenet_aux": 3, "inception_v3_aux": 2}
SIDES = {"googlenet_aux": (96, 135), "inception_v3_aux": (299, 320)}
"""Pixels; torchvision's Inception-v3 has an auxiliary head for large images only."""

FAST_FIRST = ["googlenet_aux", pytest.param("inception_v3_aux", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", FAST_FIRST)
@torch.no_grad()
def test_every_head_gives_torchvisions_logits(name: str) -> None:
    reference = Reference(name, "torchvision", entry(name).torchvision)
    theirs = reference.build()
    ours = reference.ours(theirs)
    theirs.training = True  # of the outermost module only: norms and dropout stay as in evaluation
    for side in SIDES[name]:
        images = noise(2, 3, side, side)
        main, *others = theirs(images)
        found = ours.forward_auxiliary(images)
        assert len(found) == HEADS[name]
        for logits, expected in zip(found, (main, *reversed(others)), strict=True):
            assert expected.std() > 1e-3
            torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4 * max(1.0, float(expected.abs().max())))


@pytest.mark.parametrize("name", FAST_FIRST)
@torch.no_grad()
def test_the_first_logits_are_the_networks_own(name: str) -> None:
    network = lively_network(name)
    images = images_for(name)
    assert torch.equal(network.forward_auxiliary(images)[0], network(images))


@pytest.mark.parametrize("name", FAST_FIRST)
@torch.no_grad()
def test_a_variant_without_them_gives_the_main_logits_alone(name: str) -> None:
    network = lively_network(name.removesuffix("_aux"))
    images = images_for(name)
    (logits,) = network.forward_auxiliary(images)
    assert torch.equal(logits, network(images))


@pytest.mark.parametrize("name", FAST_FIRST)
@torch.no_grad()
def test_a_new_head_is_put_in_each_place(name: str) -> None:
    network = create(name)
    network.replace_head(7)
    found = network.forward_auxiliary(images_for(name))
    assert [tuple(logits.shape) for logits in found] == [(2, 7)] * HEADS[name]


class Kept(saved_tensors_hooks):
    """Counts the numbers that autograd keeps for the backward pass, besides the parameters."""

    def __init__(self, network: nn.Module) -> None:
        self.numbers = 0
        self.parameters = {p.data_ptr() for p in network.parameters()}
        super().__init__(self.count, lambda tensor: tensor)

    def count(self, tensor: Tensor) -> Tensor:
        self.numbers += 0 if tensor.data_ptr() in self.parameters else tensor.numel()
        return tensor


@pytest.mark.parametrize("name", [*FAST_FIRST, "googlenet_2014_aux"])
def test_checkpointing_changes_no_number_and_keeps_less(name: str) -> None:
    states, gradients, kept = [], [], []
    for checkpointing in (False, True):
        network = lively_network(name, classes=4).train()
        network.checkpointing = checkpointing
        torch.manual_seed(5)
        heads_and_stages = Kept(network)
        with heads_and_stages:
            logits = torch.cat(network.forward_auxiliary(images_for(name)))
        logits.square().mean().backward()
        states.append(state_of(network))
        gradients.append({key: p.grad for key, p in network.named_parameters()})
        kept.append(heads_and_stages.numbers)
    assert same_state(*states)
    assert same_state(*gradients)
    assert kept[1] < kept[0] / 2


@pytest.mark.parametrize("name", FAST_FIRST)
def test_a_file_with_them_is_read_with_and_without(name: str, tmp_path: Path) -> None:
    """torchvision's files hold them, whoever reads."""
    theirs = Reference(name, "torchvision", entry(name).torchvision).build()
    path = tmp_path / "theirs.safetensors"
    save_file(theirs.state_dict(), path)
    found = read_weights(path)
    assert (found.network, found.naming) == (name, "torchvision")
    plain = name.removesuffix("_aux")
    images = images_for(name)
    with torch.no_grad():
        expected = theirs(images)
        for wanted in (name, plain):
            network = create(wanted, weights=path)
            torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-3)
    assert not any(key.startswith("auxiliary.") for key in read_weights(path, plain).state)
