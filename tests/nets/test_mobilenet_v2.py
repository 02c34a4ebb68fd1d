"""Is MobileNetV2 torchvision's, output for output and gradient for gradient?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from small_networks import REAL_WEIGHTS, lively, normal
from torch import nn
from torchvision.models import mobilenet_v2

from linne.nets import create
from linne.nets.translate.torchvision import translate

WIDTHS = {
    "mobilenet_v2_035": 0.35,
    "mobilenet_v2_050": 0.5,
    "mobilenet_v2_075": 0.75,
    "mobilenet_v2": 1.0,
    "mobilenet_v2_140": 1.4,
}


@pytest.fixture(scope="module", params=WIDTHS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, nn.Module]:
    """Torchvision's network with random weights, and ours with the same."""
    torch.manual_seed(0)
    theirs = mobilenet_v2(width_mult=WIDTHS[request.param]).eval()
    lively(theirs)
    file = tmp_path_factory.mktemp("weights") / "theirs.safetensors"
    save_file(theirs.state_dict(), file)
    return theirs, create(request.param, weights=file)


@pytest.mark.parametrize("side", [224, 96])
def test_logits_are_equal(pair: tuple[nn.Module, nn.Module], side: int) -> None:
    theirs, ours = pair
    images = torch.from_numpy(normal(2, 3, side, side))
    with torch.inference_mode():
        assert (ours(images) - theirs(images)).abs().max() <= 1e-5


@pytest.mark.parametrize("side", [224, 96])
def test_gradients_are_equal(pair: tuple[nn.Module, nn.Module], side: int) -> None:
    images, labels = torch.from_numpy(normal(2, 3, side, side, seed=1)), torch.tensor([3, 5])
    gradients = []
    for network in pair:
        network.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        gradients.append({name: p.grad for name, p in network.named_parameters()})
    translated = {translate(name, "mobilenet_v2"): value for name, value in gradients[0].items()}
    assert translated.keys() == gradients[1].keys()
    for name, gradient in gradients[1].items():
        torch.testing.assert_close(gradient, translated[name], rtol=1e-4, atol=1e-4)


def test_a_training_step_moves_the_same_statistics(pair: tuple[nn.Module, nn.Module]) -> None:
    theirs, ours = pair
    images = torch.from_numpy(normal(4, 3, 64, 64))
    before = [{key: value.clone() for key, value in network.state_dict().items()} for network in pair]
    try:
        with torch.no_grad():
            theirs.train().features(images)
            ours.train().forward_features(images)
        expected = {translate(key, "mobilenet_v2"): value for key, value in theirs.state_dict().items()}
        for key, value in ours.state_dict().items():
            torch.testing.assert_close(value, expected[key], rtol=1e-4, atol=1e-4)
    finally:
        for network, state in zip(pair, before, strict=True):
            network.load_state_dict(state)
            network.eval()


def test_features_are_what_torchvision_pools(pair: tuple[nn.Module, nn.Module]) -> None:
    theirs, ours = pair
    images = torch.from_numpy(normal(2, 3, 96, 96))
    with torch.inference_mode():
        expected = F.adaptive_avg_pool2d(theirs.features(images), 1).flatten(1)
        found = ours.forward_head(ours.forward_features(images), pre_logits=True)
    assert (found - expected).abs().max() <= 1e-5


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_WEIGHTS.is_file(), reason="the weights do not lie beside the checkout")
def test_equal_with_imagenet_weights() -> None:
    theirs = mobilenet_v2().eval()
    theirs.load_state_dict(load_file(REAL_WEIGHTS))
    ours = create("mobilenet_v2", weights=Path(REAL_WEIGHTS))
    images = torch.from_numpy(normal(2, 3, 224, 224))
    with torch.inference_mode():
        assert (ours(images) - theirs(images)).abs().max() <= 1e-4
