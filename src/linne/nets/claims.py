"""What is said of the architectures, counted from the networks themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Literal

from torch import nn

from linne.nets.catalogue import entry
from linne.nets.count import count, count_network
from linne.nets.shapes import on_meta

Verdict = Literal["right", "loose", "wrong"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that one hears, and what counting says to it.

    Attributes
    ----------
    network : str
        The architecture, as the field spells it.
    said : str
        The claim.
    counted : str
        What the networks of the catalogue give.
    verdict : {'right', 'loose', 'wrong'}
        'loose': true in one reading, and the other is told.
    note : str
        What to say instead, or what to keep in mind.
    """

    network: str
    said: str
    counted: str
    verdict: Verdict
    note: str

    def to_json(self) -> dict[str, str]:
        """Plain values for JSON."""
        return asdict(self)


def check_claims() -> list[Claim]:
    """Count everything anew."""
    return [claim() for claim in CLAIMS]


def _lenet() -> Claim:
    counted = count("lenet5_1998")
    modern = count("lenet5").parameters
    return Claim(
        "LeNet-5",
        "60,000 trainable parameters",
        f"{counted.parameters:,} parameters, {counted.macs:,} multiply-adds",
        _verdict(counted.parameters == 60_000),
        f"Only with the partial table between S2 and C3 and fixed output codes; the form taught today has {modern:,}.",
    )


def _alexnet() -> Claim:
    counted = count("alexnet_2012")
    network = _network("alexnet_2012")
    dense = sum(p.numel() for module in network.modules() if isinstance(module, nn.Linear) for p in module.parameters())
    return Claim(
        "AlexNet",
        "60 million parameters",
        f"{counted.parameters:,}, of which {dense / counted.parameters:.1%} in three dense layers",
        _verdict(round(counted.parameters, -7) == 60_000_000),
        f"The one-tower form that libraries ship has {count('alexnet').parameters:,}. Its 15.3 % top-5 error is seven "
        "networks averaged, two of them pretrained on more data.",
    )


def _vgg() -> Claim:
    counted = count("vgg16")
    network = _network("vgg16")
    dense = sum(p.numel() for module in network.modules() if isinstance(module, nn.Linear) for p in module.parameters())
    return Claim(
        "VGG-16",
        "138 million parameters",
        f"{counted.parameters:,}, of which {dense / counted.parameters:.1%} in three dense layers",
        _verdict(round(counted.parameters / 1e6) == 138),
        f"{counted.macs / 1e9:.2f} G multiply-adds; batch norm, which the paper does not have, adds "
        f"{count('vgg16_bn').parameters - counted.parameters:,}.",
    )


def _googlenet() -> Claim:
    paper, heads, shipped = (count(name).parameters for name in ("googlenet_2014", "googlenet_2014_aux", "googlenet"))
    vgg, alexnet = count("vgg16").parameters, count("alexnet_2012").parameters
    return Claim(
        "GoogLeNet",
        "5 million parameters, 27 times fewer than VGG-16",
        f"{paper:,}: {vgg / paper:.1f} times fewer than VGG-16, {alexnet / paper:.1f} times fewer than AlexNet",
        _verdict(vgg / paper >= 27),
        f"Say about 7 M and 20 times fewer; {heads:,} with the two heads that are for training only. 5 M is 60 M / 12, "
        f"after a sentence of the paper, and no count: the form with batch norm has {shipped:,}, {vgg / shipped:.1f} "
        "times fewer.",
    )


def _separable() -> Claim:
    network = _network("mobilenet_v1")
    pixels = entry("mobilenet_v1").pixels
    separable = count("mobilenet_v1")
    full = count_network(_with_full_convolutions(network), pixels.channels, pixels.height, pixels.width)
    macs, parameters = full.macs / separable.macs, full.parameters / separable.parameters
    return Claim(
        "MobileNetV1",
        "depthwise separable convolutions cost 8 to 9 times less than 3x3 convolutions",
        f"{macs:.2f} times fewer multiply-adds and {parameters:.2f} times fewer parameters for the whole network "
        f"({separable.macs / 1e6:.0f} M against {full.macs / 1e6:.0f} M)",
        _verdict(8 <= macs <= 9),
        "The factor is 1 / (1/N + 1/9) for N output channels: 7.9 at 64, 8.8 at 512, below 9 always; stem, norms and "
        "classifier do not shrink.",
    )


def _with_full_convolutions(network: nn.Module) -> nn.Module:
    """Put a 3x3 convolution in the place of every pair of a depthwise and a 1x1 convolution."""
    twin = deepcopy(network)
    depthwise: nn.Conv2d | None = None
    for name, module in list(twin.named_modules()):
        if not isinstance(module, nn.Conv2d):
            continue
        parent = twin.get_submodule(name.rpartition(".")[0])
        if module.groups > 1:
            depthwise = module
            # Its norm goes with it; what follows is as wide as before.
            for key in list(parent._modules):
                setattr(parent, key, nn.Identity())
        elif depthwise is not None:
            full = nn.Conv2d(
                module.in_channels, module.out_channels, 3, depthwise.stride[0], 1, bias=False, device="meta"
            )
            setattr(parent, name.rpartition(".")[2], full)
            depthwise = None
    return twin


def _compound() -> Claim:
    counts = [count(f"efficientnet_b{i}") for i in range(8)]
    growth = ", ".join(f"{c.macs / counts[0].macs:.1f}" for c in counts[1:])
    product = 1.2 * 1.1**2 * 1.15**2
    powers = [entry(f"efficientnet_b{i}").settings for i in range(8)]
    phi = math.log(powers[7]["depth"]) / math.log(1.2)
    return Claim(
        "EfficientNet",
        "B1 to B7 multiply depth, width and resolution by 1.2, 1.1 and 1.15 to the power 1 to 7, "
        "so that each doubles the multiply-adds",
        f"1.2 x 1.1^2 x 1.15^2 = {product:.3f}; multiply-adds of B1 to B7 over B0: {growth}",
        _verdict(
            right=all(abs(c.macs / counts[0].macs - 2**i) < 0.1 * 2**i for i, c in enumerate(counts)),
            loose=abs(product - 2) < 0.1,
        ),
        f"The published coefficients are no whole powers: B7 has depth {powers[7]['depth']}, which is 1.2 to the "
        f"{phi:.1f}. Rounding repeats up and channels to multiples of 8 makes growth faster than the formula.",
    )


def _smaller() -> Claim:
    amoeba, b7 = 557e6, count("efficientnet_b7").parameters
    return Claim(
        "EfficientNet-B7",
        "8.4 times smaller than the best network before it",
        f"557 M / {b7:,} = {amoeba / b7:.2f}",
        _verdict(round(amoeba / b7, 1) == 8.4),
        "557 M is the other paper's number for its AmoebaNet. '6.1 times faster' is latency on one CPU core, "
        "which cannot be counted.",
    )


def _patches() -> Claim:
    network, row = _network("vit_base_16"), entry("vit_base_16")
    positions = network.get_parameter("embedding.positions").shape[1]
    side = row.pixels.height // 16
    counted, coarse = count("vit_base_16"), count("vit_base_32")
    return Claim(
        "ViT",
        "an image is worth 16x16 words",
        f"{side} x {side} = {side * side} patches and a class token: {positions} positions; "
        f"{counted.parameters:,} parameters, {counted.macs / 1e9:.2f} G multiply-adds",
        _verdict(right=side * side == 16 * 16, loose=positions == side * side + 1),
        f"16 is a patch's side in pixels, not the number of words, and one choice: with 32, {coarse.parameters:,} "
        f"parameters and {coarse.macs / 1e9:.2f} G.",
    )


def _distilled() -> Claim:
    more = count("deit_base_distilled").parameters - count("deit_base").parameters
    width = 768
    return Claim(
        "DeiT",
        "distillation costs one more token",
        f"{more:,} parameters more at base",
        _verdict(loose=more == width * 2 + 1000 * (width + 1)),
        f"A token and a position, {2 * width:,}, and a second classifier, {1000 * (width + 1):,}.",
    )


def _layers() -> Claim:
    depths = [18, 34, 50, 101, 152]
    found = [count(f"resnet{depth}").layers for depth in depths]
    small = {20: "resnet20_cifar", 110: "resnet110_cifar", 164: "preact_resnet164_cifar",
             1001: "preact_resnet1001_cifar", 1202: "resnet1202_cifar"}  # fmt: skip
    cifar = [count(name).layers for name in small.values()]
    return Claim(
        "ResNet",
        "up to 152 layers on ImageNet, eight times VGG's depth, and 1001 on CIFAR-10",
        f"weighted layers {', '.join(map(str, [*found, *cifar]))}; 152 / 19 = {152 / count('vgg19').layers:.1f}",
        _verdict(found == depths and cifar == list(small) and count("vgg19").layers == 19),
        "The 1001 layers are the pre-activation network's. The first paper's deepest has 1202, and is worse than its "
        "110.",
    )


def _norms() -> Claim:
    network = _network("preact_resnet1001_cifar")
    norms = sum(p.numel() for m in network.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters())
    all_of_them = count("preact_resnet1001_cifar").parameters
    return Claim(
        "Pre-activation ResNet-1001",
        "10.2 million parameters",
        f"{all_of_them - norms:,} without the scales and offsets of batch norms, {all_of_them:,} with them",
        _verdict(loose=round((all_of_them - norms) / 1e6, 1) == 10.2),
        "Papers often leave them out; so does MobileNetV2's 3.47 M, which is "
        f"{count('mobilenet_v2').parameters:,} with them.",
    )


def _plain() -> Claim:
    pairs = [(count(f"resnet{depth}_cifar"), count(f"plain{depth}_cifar")) for depth in (20, 56, 110)]
    same = all(one == other for one, other in pairs)
    return Claim(
        "ResNet",
        "residual connections cost nothing: a plain network of the same layers is as large",
        "; ".join(
            f"{one.layers} layers: {one.parameters:,} and {other.parameters:,} parameters, "
            f"{one.macs / 1e6:.1f} M and {other.macs / 1e6:.1f} M multiply-adds"
            for one, other in pairs
        ),
        _verdict(same),
        f"So with shortcuts that pad with zeros. Projections, as on ImageNet, cost "
        f"{_projections('resnet50') / count('resnet50').parameters:.0%} of ResNet-50's parameters. The sums "
        "themselves are no multiply-adds.",
    )


def _projections(name: str) -> int:
    return sum(p.numel() for key, p in _network(name).named_parameters() if "shortcut" in key)


def _shallower() -> Claim:
    deep, shallow = count("resnet152"), count("vgg19")
    return Claim(
        "ResNet-152",
        "fewer multiply-adds than VGG-19, at eight times its depth; 11.3 G",
        f"{deep.macs / 1e9:.2f} G against {shallow.macs / 1e9:.2f} G",
        _verdict(loose=deep.macs < shallow.macs),
        "Right of the comparison. The paper's 11.3 G has the stride on the first 1x1 convolution of a block; "
        "torchvision, timm and this one have it on the 3x3.",
    )


def _network(name: str) -> nn.Module:
    row = entry(name)
    return on_meta(row, row.classes, row.pixels.channels)


def _verdict(right: bool = False, loose: bool = False) -> Verdict:
    return "right" if right else "loose" if loose else "wrong"


CLAIMS: tuple[Callable[[], Claim], ...] = (
    _lenet,
    _alexnet,
    _vgg,
    _googlenet,
    _layers,
    _plain,
    _shallower,
    _norms,
    _separable,
    _compound,
    _smaller,
    _patches,
    _distilled,
)
