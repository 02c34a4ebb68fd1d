"""Is CifarNet the paper's (Jordan 2024, section 3): layers, parameters, how it begins, numbers?"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from families import lively_network
from references import noise
from torch import Tensor, nn

from linne.nets import create
from linne.nets.catalogue import entry


@pytest.mark.parametrize(("name", "widths"), [("cifarnet", (64, 256, 256)), ("cifarnet_95", (128, 384, 384))])
def test_parameters_are_the_papers(name: str, widths: tuple[int, ...]) -> None:
    """24 filters of 2x2 with offsets; 3x3 convolutions, whose norms have offsets alone; a classifier."""
    inputs, expected = 24, 24 * 12 + 24
    for width in widths:
        expected += 9 * inputs * width + 9 * width * width + 2 * width
        inputs = width
    assert expected + 10 * inputs + 10 == entry(name).parameters
    if name == "cifarnet":
        assert round(entry(name).parameters / 1e6, 2) == 1.97


def test_maps_have_31_then_15_7_and_3_places() -> None:
    network = create("cifarnet")
    x, shapes = torch.zeros(1, 3, 32, 32), []
    for stage in network.stages():
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes == [(24, 31, 31), (64, 15, 15), (256, 7, 7), (256, 3, 3)]


def test_convolutions_begin_as_the_identity() -> None:
    network = create("cifarnet")
    x = noise(2, 64, 9, 9)
    for group in network.groups:
        for layer in (group.conv1, group.conv2):
            given = x[:, : layer.in_channels] if x.shape[1] >= layer.in_channels else noise(2, layer.in_channels, 9, 9)
            assert torch.equal(layer(given)[:, : layer.in_channels], given)
            assert layer.out_channels == layer.in_channels or layer.weight[layer.in_channels :].std() > 0


def test_the_classifier_begins_with_weights_of_variance_one() -> None:
    torch.manual_seed(0)
    network = create("cifarnet")
    for classes in (10, 100):
        assert float(network.classifier.weight.detach().std()) == pytest.approx(1, abs=0.02)
        assert not network.classifier.bias.any()
        network.replace_head(classes)


@torch.inference_mode()
def test_logits_are_those_of_the_papers_text() -> None:
    network = lively_network("cifarnet")
    images = noise(2, 3, 32, 32)
    torch.testing.assert_close(network(images), _by_the_text(network, images), rtol=1e-4, atol=1e-5)


def _by_the_text(network: nn.Module, images: Tensor) -> Tensor:
    """Take the tensors in the order of the layers and compute what the paper says, in double precision."""
    state = {key: value.double() for key, value in network.state_dict().items()}
    filters = [value for value in state.values() if value.ndim == 4]
    offsets = [value for key, value in state.items() if "norm" in key and key.endswith("bias")]
    means = [value for key, value in state.items() if key.endswith("running_mean")]
    variances = [value for key, value in state.items() if key.endswith("running_var")]
    x = F.gelu(F.conv2d(images.double(), filters.pop(0), state["stem.0.bias"]))
    for i, weights in enumerate(filters):
        x = F.conv2d(x, weights, padding=1)
        if i % 2 == 0:
            places = x.unfold(2, 2, 2).unfold(3, 2, 2)
            x = places.flatten(4).max(dim=4).values
        x = (x - means[i][:, None, None]) / variances[i][:, None, None].sqrt() + offsets[i][:, None, None]
        x = F.gelu(x)
    assert x.shape[2:] == (3, 3)
    return (x.flatten(2).max(dim=2).values @ state["classifier.weight"].T / 256 + state["classifier.bias"]).float()


def test_norms_follow_the_last_batches_and_have_no_scale_to_learn() -> None:
    network = create("cifarnet").train()
    norm = network.groups[0].norm1
    assert {key for key, _ in norm.named_parameters()} == {"bias"}
    before = norm.running_mean.clone()
    with torch.no_grad():
        seen = network.groups[0].pool(network.groups[0].conv1(network.stem(noise(8, 3, 32, 32))))
        norm(seen)
    torch.testing.assert_close(norm.running_mean, 0.6 * before + 0.4 * seen.mean(dim=(0, 2, 3)))
