"""Does each parameter get the decay and the rate that timm, DeiT and Swin give it?"""

from __future__ import annotations

from collections import Counter

import pytest
import timm
import torch
from timm.optim import param_groups_layer_decay, param_groups_weight_decay
from torch import nn

from linne.fit.groups import Group, parameter_groups
from linne.fit.tail import Tail
from linne.nets import create, names
from linne.nets.catalogue import entry


def on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return create(name)


def told(groups: tuple[Group, ...]) -> Counter[tuple[object, ...]]:
    """Size, decay and rate of each parameter: names differ between projects, and shapes of tables too."""
    return Counter((p.numel(), g.decay, round(g.rate, 9)) for g in groups for p in g.parameters)


def timms(groups: list[dict[str, object]]) -> Counter[tuple[object, ...]]:
    return Counter(
        (p.numel(), g["weight_decay"], round(g.get("lr_scale", 1.0), 9))  # type: ignore[call-overload]
        for g in groups
        for p in g["params"]  # type: ignore[attr-defined]
    )


@pytest.mark.parametrize("name", names())
def test_every_parameter_occurs_once(name: str) -> None:
    network = on_meta(name)
    groups = parameter_groups(network, 0, 0.05, 0.8)
    found = [p for group in groups for p in group.parameters]
    assert len(found) == len(set(found))
    assert set(found) == set(network.parameters())
    assert len({(group.decay, group.rate) for group in groups}) == len(groups)
    rates = {p: group.rate for group in groups for p in group.parameters}
    for parameter in network.classifier.parameters():  # type: ignore[union-attr]
        assert rates[parameter] == 1.0
    for group in groups:
        for parameter in group.parameters:
            assert parameter.ndim > 1 or group.decay == 0
    slowest = [min(rates[p] for p in stage.parameters()) for stage in network.stages() if [*stage.parameters()]]  # type: ignore[operator]
    assert slowest == sorted(slowest)
    assert slowest[-1] <= 0.8


@pytest.mark.parametrize(
    "name",
    ["resnet18", "resnet50", "vit_tiny_16", "deit_tiny_distilled", "deit_small"],
)
def test_rates_and_decays_are_timms(name: str) -> None:
    reference = timm.create_model(entry(name).timm)
    spared = reference.no_weight_decay() if hasattr(reference, "no_weight_decay") else ()
    expected = timms(param_groups_layer_decay(reference, 0.05, spared, layer_decay=0.75))
    assert told(parameter_groups(on_meta(name), 0, 0.05, 0.75)) == expected


@pytest.mark.parametrize(
    "name",
    [
        "swin_tiny",
        "swin_v2_tiny",
        "levit_128s",
        "maxvit_tiny",
        "coatnet_0_rw",
        "convnext_tiny",
        "mobilevit_xs",
        "efficientnet_b0",
    ],
)
def test_decays_are_timms(name: str) -> None:
    reference = timm.create_model(entry(name).timm)
    spared = reference.no_weight_decay() if hasattr(reference, "no_weight_decay") else ()
    expected = timms(param_groups_weight_decay(reference, 0.05, no_weight_decay_list=spared))
    assert told(parameter_groups(on_meta(name), 0, 0.05)) == expected


def test_a_network_of_timms_says_itself_what_is_not_decayed() -> None:
    network = create("timm:vit_tiny_patch16_224")
    expected = timms(
        param_groups_layer_decay(network.body, 0.05, network.body.no_weight_decay())  # type: ignore[operator, union-attr, arg-type]
    )
    decays = Counter((size, decay) for size, decay, _ in expected.elements())
    decays += Counter({(192 * 1000, 0.05): 1, (1000, 0.0): 1})
    groups = parameter_groups(network, 0, 0.05, 0.75)
    assert Counter((size, decay) for size, decay, _ in told(groups).elements()) == decays
    assert len({group.rate for group in groups}) > 2


@pytest.mark.parametrize("name", ["lenet5", "mobilenet_v3_small", "convnext_v2_atto"])
def test_what_follows_the_last_stage_is_trained_even_where_all_stages_are_frozen(name: str) -> None:
    network = on_meta(name)
    number = len(network.stages())  # type: ignore[operator]
    Tail(network, number)
    trained = {p for p in network.parameters() if p.requires_grad}
    groups = parameter_groups(network, number, 0.05, 0.5)
    assert {p for group in groups for p in group.parameters} == trained
    assert len(trained) == 4
    assert {group.rate for group in groups} == {0.5, 1.0}


def test_frozen_stages_are_left_out() -> None:
    network = create("lenet5")
    Tail(network, 2)
    trained = {p for p in network.parameters() if p.requires_grad}
    assert {p for g in parameter_groups(network, 2, 0.05, 0.5) for p in g.parameters} == trained
    assert {p for g in parameter_groups(network, 0, 0.05, 0.5) for p in g.parameters} == trained
    network.requires_grad_(True)
    assert {p for g in parameter_groups(network, 2, 0.05, 0.5) for p in g.parameters} == trained
    assert [(g.decay, g.rate) for g in parameter_groups(network, 2, 0.05, 0.5)] == [
        (0.0, 0.5),
        (0.05, 0.5),
        (0.0, 1.0),
        (0.05, 1.0),
    ]


def test_without_layer_decay_there_are_two_groups() -> None:
    groups = parameter_groups(on_meta("vit_tiny_16"), 0, 0.05, 1.0)
    assert sorted((group.decay, group.rate) for group in groups) == [(0.0, 1.0), (0.05, 1.0)]
