"""FastViT: what is trained and what is used are one function."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from families import images_for, lively_network
from references import noise
from torch import Tensor, nn

from linne.nets import create
from linne.nets.catalogue import CATALOGUE
from linne.nets.families import fastvit
from linne.nets.weights import write_weights
from linne.records.errors import LinneError, WeightsError

FOLDED = {
    "fastvit_t8": 3_996_040,
    "fastvit_t12": 7_508_840,
    "fastvit_s12": 9_428_712,
    "fastvit_sa12": 11_545_320,
    "fastvit_sa24": 21_501_288,
}
"""Parameters after re-parameterisation, as the authors' code leaves them."""


@pytest.fixture(params=["fastvit_t8", pytest.param("fastvit_sa12", marks=pytest.mark.slow)])
def network(request: pytest.FixtureRequest) -> nn.Module:
    """One whose places are mixed by convolution alone, and one with attention and positions."""
    return lively_network(request.param)


@torch.inference_mode()
def test_re_parameterisation_keeps_the_function(network: nn.Module) -> None:
    for pixels in (64, 101):
        images = images_for("fastvit_t8", pixels=pixels)
        trained = copy_of(network)
        logits, features = trained(images), trained.forward_features(images)
        trained.reparameterise()
        assert (trained(images) - logits).abs().max() <= 1e-4 * max(1.0, float(logits.abs().max()))
        found = trained.forward_features(images)
        assert (found - features).abs().max() <= 1e-4 * max(1.0, float(features.abs().max()))


def copy_of(network: nn.Module) -> nn.Module:
    """A copy."""
    copied = fastvit.Network(network.config)
    copied.load_state_dict(network.state_dict())
    return copied.eval()


def test_folded_weights_which_nothing_could_read_are_not_written(tmp_path: Path) -> None:
    network = create("fastvit_t8", classes=3)
    network.reparameterise()
    with pytest.raises(WeightsError):
        write_weights(tmp_path / "w.safetensors", network, "fastvit_t8", CATALOGUE["fastvit_t8"].pixels)
    assert list(tmp_path.iterdir()) == []


def test_no_branch_is_left(network: nn.Module) -> None:
    before = len(network.state_dict())
    network.reparameterise()
    kinds = (fastvit.Branches, fastvit.RepMixer, fastvit.Positions)
    assert not any(isinstance(module, kinds) for module in network.modules())
    assert len(network.state_dict()) < before
    assert not any(module.training for module in network.modules())
    # What remains are the batch norms before perceptrons and attention.
    norms = [name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(name.endswith(("mlp.depthwise.norm", "mixer.norm")) for name in norms)


@pytest.mark.parametrize("name", FOLDED)
def test_parameters_afterwards_are_the_tables(name: str) -> None:
    assert name in CATALOGUE
    network = create(name)
    network.reparameterise()
    assert sum(p.numel() for p in network.parameters()) == FOLDED[name]


@torch.no_grad()
def test_what_comes_of_it_keeps_the_contract() -> None:
    network = lively_network("fastvit_t8")
    network.reparameterise()
    images = images_for("fastvit_t8")
    x = images
    for stage in network.stages():
        x = stage(x)
    assert torch.equal(x, network.forward_features(images))
    vector = network.forward_head(x, pre_logits=True)
    assert vector.shape == (2, network.feature_size)
    assert torch.equal(network.classifier(vector), network(images))
    in_stages = {id(p) for stage in network.stages() for p in stage.parameters()}
    assert {id(p) for p in network.parameters()} == in_stages | {id(p) for p in network.classifier.parameters()}
    network.replace_head(3)
    assert network(images).shape == (2, 3)


def test_it_can_be_trained_on() -> None:
    network = lively_network("fastvit_t8")
    network.reparameterise()
    network(images_for("fastvit_t8")).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


def test_frozen_layers_stay_frozen() -> None:
    network = lively_network("fastvit_t8")
    network.stem.requires_grad_(False)
    network.reparameterise()
    assert not any(p.requires_grad for p in network.stem.parameters())
    assert all(p.requires_grad for layer in network.layers for p in layer.parameters())


def test_not_in_training_mode_not_even_a_part_of_it() -> None:
    network = lively_network("fastvit_t8")
    before = set(network.state_dict())
    network.layers[2].train()
    with pytest.raises(LinneError, match="training mode"):
        network.reparameterise()
    assert set(network.state_dict()) == before


def test_not_twice() -> None:
    network = lively_network("fastvit_t8")
    network.reparameterise()
    with pytest.raises(LinneError, match="already"):
        network.reparameterise()


@torch.no_grad()
def test_branches_by_hand() -> None:
    """Each is a convolution, normalised: ``(y - mean) / sqrt(variance + eps) * weight + bias``; they add up."""
    block = fastvit.Branches(6, 6, 3, stride=1, groups=6, small=1).eval()
    for tensor in [*block.parameters(), *(b for b in block.buffers() if b.is_floating_point())]:
        tensor.uniform_(0.5, 1.5)
    x = noise(2, 6, 5, 7)

    def normalised(y: Tensor, norm: nn.BatchNorm2d) -> Tensor:
        mean, variance, weight, bias = (
            v[:, None, None] for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        return (y - mean) / (variance + 1e-5).sqrt() * weight + bias

    large = normalised(F.conv2d(x, block.large.conv.weight, padding=1, groups=6), block.large.norm)
    small = normalised(x * block.small.conv.weight[:, 0], block.small.norm)
    expected = large + small + normalised(x, block.identity)
    torch.testing.assert_close(block(x), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(block.folded()(x), expected, rtol=1e-4, atol=1e-4)
