"""LeNet-5 as its paper has it: partly connected, with trainable subsampling and with output codes drawn by hand.

LeCun, Bottou, Bengio, Haffner: "Gradient-Based Learning Applied to Document Recognition", Proceedings of the
IEEE 86(11), 1998, section II.B, figure 2 and table I. The form taught today is `linne.nets.families.lenet5`.

The idea: small filters with shared weights find the same stroke wherever it lies, and subsampled maps forget where
exactly that was. All of it, from pixels to classes, is learned by gradient descent, with 60,000 parameters.

Departures from the paper:

- The codes of the digits were drawn anew, after figure 3; classes beyond ten get random ones.
- Logits are minus the outputs. So cross-entropy is the paper's criterion (equation 9) without its class of rubbish.
- Biases start at zero, not at random.
- Other sizes than 32 x 32 give several places in C5, whose mean enters F6; several input channels are possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through

# Table I: the maps of S2 that each map of C3 sees.
BY_THREE = ((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 0), (5, 0, 1))
BY_FOUR = (
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 0), (4, 5, 0, 1), (5, 0, 1, 2),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
)  # fmt: skip

DIGITS = """
..###.. ...##.. .#####. ####### ....##. ####### ..####. ####### .#####. .#####.
.#####. ..###.. ####### ####### ...###. ####### .####.. ####### ####### #######
##...## .####.. ##...## ....##. ...###. ##..... ##..... .....## ##...## ##...##
##...## ...##.. .....## ...##.. ..####. ##..... ##..... .....## ##...## ##...##
##...## ...##.. .....## ..####. .##.##. ######. ##..... ....##. ##...## ##...##
##...## ...##.. ....##. ..##### .##.##. ####### ######. ....##. .#####. #######
##...## ...##.. ...##.. .....## ##..##. .....## ####### ...##.. .#####. .######
##...## ...##.. ..##... .....## ####### .....## ##...## ...##.. ##...## .....##
##...## ...##.. .##.... .....## ####### .....## ##...## ..##... ##...## .....##
##...## ...##.. ##..... ##...## ....##. ##...## ##...## ..##... ##...## .....##
.#####. .###### ####### ####### ....##. ####### ####### .##.... ####### ..####.
..###.. .###### ####### .#####. ....##. .#####. .#####. .##.... .#####. .####..
"""
"""Bitmaps of 7 x 12: ink is +1, paper -1."""

CODE = 7 * 12


@dataclass(frozen=True, slots=True)
class Config:
    """LeNet-5 has one size."""

    classes: int = 10
    in_channels: int = 1


class ScaledTanh(nn.Module):
    """``1.7159 tanh(2x/3)``: +1 and -1 lie where the curvature is largest (equation 6 and appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """The sum of 2 x 2 places, times a coefficient and plus a bias for each map (S2 and S4)."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(maps, 1, 1))
        self.bias = nn.Parameter(torch.zeros(maps, 1, 1))
        nn.init.uniform_(self.coefficient, -2.4 / 4, 2.4 / 4)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, maps, h, w)`` to ``(batch, maps, h / 2, w / 2)``."""
        return F.avg_pool2d(x, 2) * (4 * self.coefficient) + self.bias


class PartialConv(nn.Module):
    """Sixteen 5x5 filters, each on its own choice of the six maps (C3).

    Filters that see equally many maps are one grouped convolution, so that no weight is multiplied that is not there.
    """

    from_three: Tensor
    from_four: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, chosen in (("three", BY_THREE), ("four", BY_FOUR)):
            maps = torch.tensor(chosen, device="cpu").flatten()
            self.register_buffer(f"from_{name}", maps, persistent=False)
        self.by_three = _grouped(BY_THREE)
        self.by_four = _grouped(BY_FOUR)
        self.by_six = nn.Conv2d(6, 1, 5)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, 6, h, w)`` to ``(batch, 16, h - 4, w - 4)``."""
        three = self.by_three(x.index_select(1, self.from_three))
        four = self.by_four(x.index_select(1, self.from_four))
        return torch.cat([three, four, self.by_six(x)], dim=1)


class Codes(nn.Module):
    """Euclidean radial basis functions: how far F6 is from the code of each class (equation 7)."""

    codes: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.register_buffer("codes", _codes(classes))

    def forward(self, f6: Tensor) -> Tensor:
        """``(batch, 84)`` to minus the squared distances, ``(batch, classes)``."""
        return -(f6[:, None] - self.codes).square().sum(dim=2)


class Network(nn.Module):
    """LeNet-5: C1, S2, C3, S4, C5, F6 and the output, as the paper names them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.c1 = nn.Conv2d(config.in_channels, 6, 5)  # 32 -> 28
        self.s2 = Subsampling(6)  # -> 14
        self.c3 = PartialConv()  # -> 10
        self.s4 = Subsampling(16)  # -> 5
        self.c5 = nn.Conv2d(16, 120, 5)  # -> 1
        self.f6 = nn.Linear(120, CODE)
        self.tanh = ScaledTanh()
        self.feature_size = CODE
        self.classifier: nn.Module = Codes(config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, 1, 32, 32)`` in about [-0.1, 1.2] to ``(batch, 120, 1, 1)``; larger inputs give larger maps."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """``(batch, 120, h, w)`` to logits ``(batch, classes)``, or to F6, ``(batch, 84)``."""
        f6: Tensor = self.tanh(self.f6(features.mean(dim=(2, 3))))
        return f6 if pre_logits else self.classifier(f6)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a trainable linear classifier of `classes` outputs in the codes' place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give C1 to S2, C3 to S4, C5; every layer squashes."""
        return (
            nn.Sequential(self.c1, self.tanh, self.s2, self.tanh),
            nn.Sequential(self.c3, self.tanh, self.s4, self.tanh),
            nn.Sequential(self.c5, self.tanh),
        )


def _grouped(chosen: Sequence[Sequence[int]]) -> nn.Conv2d:
    return nn.Conv2d(sum(map(len, chosen)), len(chosen), 5, groups=len(chosen))


def _codes(classes: int) -> Tensor:
    """Give each class 84 times +1 or -1: the digits as they are drawn, then by chance."""
    lines = [line.split() for line in DIGITS.split("\n") if line]
    drawn = ["".join(line[digit] for line in lines) for digit in range(min(classes, 10))]
    codes = torch.tensor([[1.0 if place == "#" else -1.0 for place in digit] for digit in drawn])
    if classes > 10:
        chance = torch.empty(classes - 10, CODE).uniform_(-1, 1)
        codes = torch.cat([codes, torch.where(chance < 0, -1.0, 1.0)])
    return codes


def _initialise(module: nn.Module) -> None:
    """Weights uniform in +-2.4/fan-in (appendix A)."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        bound = 2.4 / module.weight[0].numel()
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
