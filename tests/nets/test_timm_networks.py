"""Can any network of timm be used as ours are?"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import timm
import torch
from references import noise, revive
from safetensors.torch import save_file
from small_networks import same_state, state_of
from torch import nn

from linne.nets import create
from linne.nets.catalogue import entry
from linne.nets.timm_network import Config, Network
from linne.nets.weights import read_weights, write_weights
from linne.nets.weights.published import pick, published
from linne.records.errors import LinneError, WeightsError

# Plain stages, a transformer of one stage after another, several values between stages, an odd head.
NETWORKS = {"regnety_002": 5, "vit_tiny_patch16_224": 12, "hrnet_w18_small": 1, "edgenext_xx_small": 4}


@pytest.fixture(scope="module", params=NETWORKS)
def pair(request: pytest.FixtureRequest) -> tuple[str, nn.Module, nn.Module]:
    torch.manual_seed(0)
    theirs = timm.create_model(request.param, num_classes=10).eval()
    revive(theirs)
    ours = Network(Config(request.param, 10)).eval()
    head = theirs.pretrained_cfg["classifier"]
    state = {
        key.replace(head, "classifier", 1) if key.startswith(f"{head}.") else f"body.{key}": value
        for key, value in theirs.state_dict().items()
    }
    ours.load_state_dict(state, strict=True)
    return request.param, theirs, ours


@torch.inference_mode()
def test_logits_features_and_stages_are_timms(pair: tuple[str, nn.Module, nn.Module]) -> None:
    name, theirs, ours = pair
    images = noise(2, 3, 224, 224)
    assert torch.equal(ours(images), theirs(images))
    x = images
    for stage in ours.stages():
        x = stage(x)
    assert torch.equal(x, theirs.forward_features(images))
    vector = ours.forward_head(x, pre_logits=True)
    assert vector.shape == (2, ours.feature_size)
    assert torch.equal(ours.classifier(vector), ours(images))
    assert len(ours.stages()) >= NETWORKS[name]


def test_stages_share_the_bodys_parameters_and_a_copys_stages_the_copys(
    pair: tuple[str, nn.Module, nn.Module],
) -> None:
    _, _, ours = pair
    for network in (ours, copy.deepcopy(ours)):
        held = {id(p) for p in network.parameters()}
        staged = [id(p) for stage in network.stages() for p in stage.parameters()]
        assert len(staged) == len(set(staged))
        assert set(staged) <= held
        assert not set(staged) & {id(p) for p in network.classifier.parameters()}


def test_training_is_not_frozen_into_the_stages() -> None:
    torch.manual_seed(0)
    network = Network(Config("regnety_002", 10, drop_path=0.9))
    revive(network)
    images = noise(4, 3, 64, 64)
    network.eval()
    with torch.no_grad():
        assert torch.equal(network(images), network(images))
        network.train()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        assert not torch.equal(network(images), network(images)), "branches are dropped in training"


def test_weights_in_timms_names_and_in_ours(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = timm.create_model("regnety_002", num_classes=10).eval()
    revive(theirs)
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours = create("timm:regnety_002", weights=tmp_path / "theirs.safetensors")
    images = noise(2, 3, 96, 96)
    with torch.inference_mode():
        assert torch.equal(ours(images), theirs(images))
    write_weights(tmp_path / "ours.safetensors", ours, "timm:regnety_002", entry("timm:regnety_002").pixels)
    again = read_weights(tmp_path / "ours.safetensors", "timm:regnety_002")
    assert (again.naming, again.classes) == ("linne", 10)
    assert same_state(again.state, state_of(ours))
    with pytest.raises(WeightsError):
        read_weights(tmp_path / "ours.safetensors", "timm:regnety_004")


def test_the_entry_is_timms() -> None:
    row = entry("timm:regnety_002")
    assert row.parameters == sum(p.numel() for p in timm.create_model("regnety_002").parameters())
    assert (row.pixels.height, row.pixels.interpolation) == (224, "bicubic")
    best = pick("timm:regnety_016", "imagenet")
    assert (best.source, best.licence) == ("timm/regnety_016.tv2_in1k", "bsd-3-clause")
    assert {row.tag for row in published("timm:regnety_016")} == {"tv2_in1k", "pycls_in1k"}


def test_a_new_head_and_other_channels() -> None:
    network = create("timm:regnety_002", classes=3, in_channels=1)
    network.replace_head(7)
    with torch.inference_mode():
        assert network(noise(1, 1, 64, 64)).shape == (1, 7)


@pytest.mark.parametrize("name", ["timm:regnety_2", "timm:", "timm:efficientformer_l1"])
def test_what_timm_does_not_have_or_cannot_be_used(name: str) -> None:
    with pytest.raises(LinneError):
        create(name)
