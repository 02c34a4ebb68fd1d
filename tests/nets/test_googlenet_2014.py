"""Is GoogLeNet the paper's: table 1, the auxiliary heads of section 5, parameters, numbers?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from families import lively_network
from references import noise
from small_networks import same_state, state_of
from torch import Tensor, nn

from linne.nets import create
from linne.nets.catalogue import entry

# Table 1: inputs; 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
MODULES = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


def _convolution(inputs: int, outputs: int, kernel: int) -> int:
    return kernel * kernel * inputs * outputs + outputs


def _module(inputs: int, one: int, reduce3: int, three: int, reduce5: int, five: int, pool: int) -> int:
    return (
        _convolution(inputs, one, 1)
        + (_convolution(inputs, reduce3, 1) + _convolution(reduce3, three, 3))
        + (_convolution(inputs, reduce5, 1) + _convolution(reduce5, five, 5))
        + _convolution(inputs, pool, 1)
    )


def test_the_parameters_are_table_1s() -> None:
    stem = _convolution(3, 64, 7) + _convolution(64, 64, 1) + _convolution(64, 192, 3)
    modules = [_module(*widths) for widths in MODULES.values()]
    classifier = 1024 * 1000 + 1000
    network = create("googlenet_2014")
    assert [sum(p.numel() for p in stage.parameters()) for stage in network.stages()] == [stem, *modules]
    assert stem + sum(modules) == 5_973_552
    assert stem + sum(modules) + classifier == entry("googlenet_2014").parameters == 6_998_552


def test_relus_begin_at_work() -> None:
    """Biases of what a ReLU follows are 0.2 (the authors' solver file); of classifiers 0."""
    for name, layer in create("googlenet_2014_aux").named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            bias = 0.0 if name.endswith("classifier") else 0.2
            assert torch.equal(layer.bias, torch.full_like(layer.bias, bias)), name


def test_the_auxiliary_heads_parameters_are_section_5s() -> None:
    heads = [_convolution(inputs, 128, 1) + (4 * 4 * 128 * 1024 + 1024) + (1024 * 1000 + 1000) for inputs in (512, 528)]
    network = create("googlenet_2014_aux")
    assert [sum(p.numel() for p in head.parameters()) for head in network.auxiliary] == heads
    assert entry("googlenet_2014").parameters + sum(heads) == entry("googlenet_2014_aux").parameters == 13_378_280


@torch.inference_mode()
def test_the_logits_of_all_heads_are_those_of_the_papers_text() -> None:
    network = lively_network("googlenet_2014_aux", classes=10)
    _keep_signals(network)
    image = noise(1, 3, 224, 224)
    expected = _by_the_text(network.state_dict(), image)
    found = network.forward_auxiliary(image)
    assert len(found) == len(expected) == 3
    for logits, right in zip(found, expected, strict=True):
        scale = max(1.0, float(right.abs().max()))
        assert (logits.double() - right).abs().max() <= 1e-4 * scale
        assert right.std() > 1e-2
    assert torch.equal(network(image), found[0])


def _keep_signals(network: nn.Module) -> None:
    """Make weights larger, since ReLUs halve the signal's power and nothing restores it."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.mul_(1.6)


def _by_the_text(state: dict[str, Tensor], image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Take the convolutions in the order of table 1 and compute it in double precision."""
    values = {key: value.double() for key, value in state.items()}
    convolutions = _pairs(values, lambda key: ".conv" in key and not key.startswith("auxiliary"))
    maps: dict[str, Tensor] = {}
    x = _filter(image.double(), convolutions, stride=2)
    x = _normalise(_halve(x))
    x = _normalise(_filter(_filter(x, convolutions), convolutions))
    for name in MODULES:
        if name in ("3a", "4a", "5a"):
            x = _halve(x)
        one = _filter(x, convolutions)
        three = _filter(_filter(x, convolutions), convolutions)
        five = _filter(_filter(x, convolutions), convolutions)
        around = F.pad(x, (1, 1, 1, 1), value=-torch.inf).unfold(2, 3, 1).unfold(3, 3, 1).amax((4, 5))
        x = torch.cat([one, three, five, _filter(around, convolutions)], dim=1)
        maps[name] = x
    assert next(convolutions, None) is None
    assert x.shape == (1, 1024, 7, 7)
    logits = x.mean((2, 3)) @ values["classifier.weight"].T + values["classifier.bias"]
    first, second = (_auxiliary(values, i, maps[name]) for i, name in enumerate(("4a", "4d")))
    return logits, first, second


def _auxiliary(values: dict[str, Tensor], index: int, x: Tensor) -> Tensor:
    prefix = f"auxiliary.{index}."
    own = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
    assert x.shape[2:] == (14, 14)
    rows = [[x[:, :, 3 * i : 3 * i + 5, 3 * j : 3 * j + 5].mean((2, 3)) for j in range(4)] for i in range(4)]
    x = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)  # 4 x 4
    x = F.conv2d(x, own["conv.conv.weight"], own["conv.conv.bias"]).relu().flatten(1)
    x = (x @ own["hidden.weight"].T + own["hidden.bias"]).relu()
    return x @ own["classifier.weight"].T + own["classifier.bias"]


def _pairs(values: dict[str, Tensor], wanted: Callable[[str], bool]) -> Iterator[tuple[Tensor, Tensor]]:
    keys = [key for key in values if wanted(key) and key.endswith(".weight")]
    return ((values[key], values[key.removesuffix("weight") + "bias"]) for key in keys)


def _filter(x: Tensor, convolutions: Iterator[tuple[Tensor, Tensor]], stride: int = 1) -> Tensor:
    weight, bias = next(convolutions)
    return F.conv2d(x, weight, bias, stride, padding=weight.shape[-1] // 2).relu()


def _halve(x: Tensor) -> Tensor:
    """3x3 with stride 2; the last window hangs over."""
    return F.pad(x, (0, 1, 0, 1), value=-torch.inf).unfold(2, 3, 2).unfold(3, 3, 2).amax((4, 5))


def _normalise(x: Tensor) -> Tensor:
    """Local response normalisation with Caffe's constants: alpha times the sum over five maps, divided by five."""
    squares = F.pad(x * x, (0, 0, 0, 0, 2, 2))
    total = sum(squares[:, i : i + x.shape[1]] for i in range(5))
    return x / (1 + 1e-4 / 5 * total) ** 0.75


def test_without_auxiliary_heads_only_the_last_layer_speaks() -> None:
    network = lively_network("googlenet_2014", classes=10)
    images = noise(2, 3, 64, 64)
    with torch.inference_mode():
        (logits,) = network.forward_auxiliary(images)
        assert torch.equal(logits, network(images))


@pytest.mark.parametrize("sides", [(64, 64), (101, 160), (256, 224)])
def test_auxiliary_heads_take_images_of_other_sizes(sides: tuple[int, int]) -> None:
    network = lively_network("googlenet_2014_aux", classes=10)
    with torch.inference_mode():
        assert [tuple(logits.shape) for logits in network.forward_auxiliary(noise(2, 3, *sides))] == [(2, 10)] * 3


def test_auxiliary_heads_are_replaced_too() -> None:
    network = create("googlenet_2014_aux", classes=10)
    before = state_of(network)
    network.replace_head(7)
    assert [head.classifier.out_features for head in network.auxiliary] == [7, 7]
    after = state_of(network)
    kept = [key for key in before if not key.endswith(("classifier.weight", "classifier.bias"))]
    assert same_state({key: before[key] for key in kept}, {key: after[key] for key in kept})


def test_dropout_is_the_papers() -> None:
    """40 % before the classifier (section 5), 70 % in the auxiliary heads."""
    network = create("googlenet_2014_aux")
    assert network.dropout.p == 0.4
    assert [head.dropout.p for head in network.auxiliary] == [0.7, 0.7]
