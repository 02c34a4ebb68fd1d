"""Does every network of the catalogue keep the contract?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_networks import lively, normal, same_state, state_of
from torch import Tensor, nn

from linne.nets import create, names
from linne.nets.catalogue import entry
from linne.records.errors import LinneError


@pytest.fixture(scope="module", params=names())
def made(request: pytest.FixtureRequest) -> tuple[nn.Module, Tensor]:
    """A network with random weights and two images for it."""
    torch.manual_seed(0)
    network = create(request.param)
    lively(network)
    pixels = entry(request.param).pixels
    return network, torch.from_numpy(normal(2, pixels.channels, pixels.height, pixels.width))


@torch.inference_mode()
def test_forward_is_head_of_features(made: tuple[nn.Module, Tensor]) -> None:
    network, images = made
    assert torch.equal(network(images), network.forward_head(network.forward_features(images)))


@torch.inference_mode()
def test_stages_in_turn_are_the_features(made: tuple[nn.Module, Tensor]) -> None:
    network, images = made
    x = images
    for stage in network.stages():
        x = stage(x)
    assert torch.equal(x, network.forward_features(images))


def test_stages_and_head_hold_every_parameter_once(made: tuple[nn.Module, Tensor]) -> None:
    network, _ = made
    in_stages = [id(p) for stage in network.stages() for p in stage.parameters()]
    assert len(in_stages) == len(set(in_stages))
    assert set(in_stages) <= {id(p) for p in network.parameters()}
    assert not set(in_stages) & {id(p) for p in network.classifier.parameters()}


@torch.inference_mode()
def test_the_vector_before_the_classifier(made: tuple[nn.Module, Tensor]) -> None:
    network, images = made
    features = network.forward_features(images)
    vector = network.forward_head(features, pre_logits=True)
    assert vector.shape == (2, network.feature_size)
    assert torch.equal(network.classifier(vector), network.forward_head(features))
    assert network.classifier.in_features == network.feature_size


@torch.inference_mode()
def test_outputs_do_not_depend_on_their_neighbours(made: tuple[nn.Module, Tensor]) -> None:
    network, images = made
    torch.testing.assert_close(network(images)[:1], network(images[:1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", names())
def test_a_replaced_head_is_new_and_the_rest_is_not(name: str) -> None:
    torch.manual_seed(0)
    network = create(name)
    before = state_of(network)
    network.replace_head(7)
    after = state_of(network)
    assert isinstance(network.classifier, nn.Linear)
    assert after["classifier.weight"].shape == (7, network.feature_size)
    assert after["classifier.weight"].std() > 0
    for key in ("classifier.weight", "classifier.bias"):
        del before[key], after[key]
    assert same_state(before, after)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("channels", [1, 3])
def test_gray_and_colour(name: str, channels: int) -> None:
    pixels = entry(name).pixels
    network = create(name, classes=4, in_channels=channels)
    with torch.inference_mode():
        assert network(torch.zeros(1, channels, pixels.height, pixels.width)).shape == (1, 4)


@pytest.mark.parametrize("name", names())
def test_the_same_seed_gives_the_same_network_in_evaluation_mode(name: str) -> None:
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(create(name))
    assert same_state(made[0].state_dict(), made[1].state_dict())
    assert not any(module.training for module in made[0].modules())


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    assert create("lenet5", classes=np.int64(7)).classifier.out_features == 7


@pytest.mark.parametrize(
    "wrong", [{"classes": True}, {"classes": 0}, {"classes": -1}, {"classes": 2.5}, {"in_channels": 0}]
)
def test_numbers_that_no_network_can_have(wrong: dict[str, int]) -> None:
    with pytest.raises(LinneError) as caught:
        create("lenet5", **wrong)
    assert caught.value.value in wrong.values()
