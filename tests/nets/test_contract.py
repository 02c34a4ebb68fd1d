"""Does every network of the catalogue keep the contract?"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from families import every_family, every_network, images_for, lively_network, side
from small_networks import same_state, state_of
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

import linne.nets.families
from linne.nets import create
from linne.nets.catalogue import CATALOGUE, entry
from linne.nets.weights import read_weights, write_weights
from linne.records.errors import LinneError


@pytest.fixture(scope="module", params=every_network())
def made(request: pytest.FixtureRequest) -> Iterator[tuple[str, nn.Module]]:
    """A name and its network, with lively weights."""
    yield request.param, lively_network(request.param)
    gc.collect()


@torch.inference_mode()
def test_forward_is_head_of_features(made: tuple[str, nn.Module]) -> None:
    name, network = made
    images = images_for(name)
    assert torch.equal(network(images), network.forward_head(network.forward_features(images)))


@torch.inference_mode()
def test_stages_in_turn_are_the_features(made: tuple[str, nn.Module]) -> None:
    name, network = made
    images = images_for(name)
    x = images
    for stage in network.stages():
        x = stage(x)
    assert torch.equal(x, network.forward_features(images))


def test_stages_and_head_hold_every_parameter_once(made: tuple[str, nn.Module]) -> None:
    _, network = made
    in_stages = [id(p) for stage in network.stages() for p in stage.parameters()]
    assert len(in_stages) == len(set(in_stages)), "two stages share a parameter"
    in_classifier = {id(p) for p in network.classifier.parameters()}
    assert not set(in_stages) & in_classifier
    elsewhere = {n: p for n, p in network.named_parameters() if id(p) not in {*in_stages, *in_classifier}}
    # Between the stages and the classifier lie a norm, hidden layers or auxiliary heads, if anything.
    assert all(name.split(".")[0] in HEADS for name in elsewhere), elsewhere.keys()


HEADS = {"f6", "head", "hidden", "norm", "auxiliary"}


@torch.inference_mode()
def test_the_vector_before_the_classifier(made: tuple[str, nn.Module]) -> None:
    name, network = made
    features = network.forward_features(images_for(name))
    vector = network.forward_head(features, pre_logits=True)
    assert vector.shape == (2, network.feature_size)
    assert torch.equal(network.classifier(vector), network.forward_head(features))


@torch.inference_mode()
def test_outputs_do_not_depend_on_their_neighbours(made: tuple[str, nn.Module]) -> None:
    name, network = made
    images = images_for(name)
    alone = network(images[:1])
    scale = max(1.0, float(alone.abs().max()))
    torch.testing.assert_close(network(images)[:1], alone, rtol=1e-4, atol=1e-4 * scale)


@torch.inference_mode()
def test_odd_and_oblong_images_give_other_numbers(made: tuple[str, nn.Module]) -> None:
    name, network = made
    images = images_for(name, pixels=side(name) + 37)[:, :, :, 4:]
    logits = network(images)
    assert logits.shape == (2, entry(name).classes)
    assert torch.isfinite(logits).all()
    assert not torch.equal(logits[0], logits[1])


def test_a_gradient_reaches_every_parameter(made: tuple[str, nn.Module]) -> None:
    name, network = made
    logits = network(images_for(name)) if not hasattr(network, "forward_auxiliary") else _all_heads(name, network)
    logits.square().mean().backward()
    without = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    network.zero_grad()
    assert without == []


def _all_heads(name: str, network: nn.Module) -> torch.Tensor:
    return torch.cat(network.forward_auxiliary(images_for(name, pixels=side(name) + 64)))


def test_weights_are_written_and_read_again(made: tuple[str, nn.Module], tmp_path: Path) -> None:
    name, network = made
    file = tmp_path / "weights.safetensors"
    write_weights(file, network, name, entry(name).pixels)
    assert same_state(read_weights(file, name).state, network.state_dict())


def test_the_parameters_are_the_tables(made: tuple[str, nn.Module]) -> None:
    name, network = made
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == entry(name).parameters


@pytest.mark.parametrize("name", every_network())
def test_a_replaced_head_is_new_and_the_rest_is_not(name: str) -> None:
    torch.manual_seed(0)
    network = create(name)
    before = state_of(network)
    network.replace_head(7)
    after = state_of(network)
    assert isinstance(network.classifier, nn.Linear)
    assert after["classifier.weight"].shape == (7, network.feature_size)
    assert after["classifier.weight"].std() > 0
    rest = [{key: value for key, value in state.items() if _kept(key)} for state in (before, after)]
    assert rest[0]
    assert same_state(*rest)
    with torch.inference_mode():
        assert network(images_for(name)).shape == (2, 7)


def _kept(key: str) -> bool:
    return not key.startswith(("classifier.", "auxiliary."))


@pytest.mark.parametrize("name", every_family())
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_gray_colour_and_more_channels(name: str, channels: int) -> None:
    network = create(name, classes=4, in_channels=channels)
    with torch.inference_mode():
        assert network(images_for(name, 1, channels=channels)).shape == (1, 4)


@pytest.mark.parametrize("name", every_family())
def test_the_same_seed_gives_the_same_network_in_evaluation_mode(name: str) -> None:
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(create(name))
    assert same_state(made[0].state_dict(), made[1].state_dict())
    assert not any(module.training for module in made[0].modules())


class Kept(saved_tensors_hooks):
    """Counts the numbers that autograd keeps for the backward pass, besides the parameters."""

    def __init__(self, network: nn.Module) -> None:
        self.numbers = 0
        self.parameters = {p.data_ptr() for p in network.parameters()}
        super().__init__(self.count, lambda tensor: tensor)

    def count(self, tensor: Tensor) -> Tensor:
        self.numbers += 0 if tensor.data_ptr() in self.parameters else tensor.numel()
        return tensor


@pytest.mark.parametrize("name", every_family())
def test_checkpointing_changes_no_number_and_keeps_less(name: str) -> None:
    """Gradients and running statistics are the same to the bit, with branches dropped at random."""
    drops = "drop_path" in type(create(name, classes=4).config).__slots__
    states, gradients, kept = [], [], []
    for checkpointing in (False, True):
        network = lively_network(name, classes=4, **({"drop_path": 0.3} if drops else {})).train()
        network.checkpointing = checkpointing
        torch.manual_seed(5)
        by_stages = Kept(network)
        with by_stages:
            features = network.forward_features(images_for(name, 4))
        network.forward_head(features).square().mean().backward()
        states.append(state_of(network))
        gradients.append({key: p.grad for key, p in network.named_parameters() if p.grad is not None})
        kept.append(by_stages.numbers)
    assert same_state(*states)
    assert same_state(*gradients)
    assert kept[1] < kept[0] / 2


@pytest.mark.parametrize("name", every_family())
def test_stochastic_depth_is_random_in_training_only(name: str) -> None:
    if "drop_path" not in type(create(name, classes=4).config).__slots__:
        with pytest.raises(LinneError):
            create(name, drop_path=0.5)
        return
    network = lively_network(name, classes=4, drop_path=0.9)
    images = images_for(name, 8)
    with torch.no_grad():
        assert torch.equal(network(images), lively_network(name, classes=4)(images))
        network.train()
        for module in network.modules():
            if isinstance(module, nn.Dropout | nn.modules.batchnorm._BatchNorm):
                module.eval()
        first, second = network(images), network(images)
    assert not torch.equal(first, second)


def test_every_file_of_a_family_is_in_the_catalogue() -> None:
    files = {path.stem for path in Path(linne.nets.families.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == {row.family for row in CATALOGUE.values()}


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    assert create("lenet5", classes=np.int64(7)).classifier.out_features == 7


@pytest.mark.parametrize(
    "wrong",
    [{"classes": True}, {"classes": 0}, {"classes": -1}, {"classes": 2.5}, {"in_channels": 0}, {"drop_path": 1.0}],
)
def test_numbers_that_no_network_can_have(wrong: dict[str, int]) -> None:
    with pytest.raises(LinneError) as caught:
        create("resnet18", **wrong)
    assert caught.value.value in wrong.values()


@pytest.mark.parametrize("name", every_family())
def test_no_images_give_no_logits(name: str) -> None:
    network = create(name, classes=4)
    assert network(images_for(name, 1)[:0]).shape == (0, 4)
