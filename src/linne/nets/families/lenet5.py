"""LeNet-5, in the form that it is taught today.

LeCun, Bottou, Bengio, Haffner: "Gradient-Based Learning Applied to Document Recognition", Proceedings of the
IEEE 86(11), 1998, section II.B. The paper's own form is `linne.nets.families.lenet5_1998`.

The idea: small filters with shared weights find the same stroke wherever it lies, and subsampled maps forget where
exactly that was. All of it, from pixels to classes, is learned by gradient descent.

Departures from the paper:

- C3 is connected to all six maps of S2, not by the paper's table I (900 weights more).
- S2 and S4 are plain averages, without a trainable coefficient and bias, and without a non-linearity of their own.
- The output is a linear layer with softmax, not Euclidean radial basis functions with codes drawn by hand.
- Biases start at zero, not at random.
- Other sizes than 32 x 32 give several places in C5, whose mean enters F6; several input channels are possible.

Kept are the layers' sizes, the scaled tanh (appendix A) and the 32 x 32 input.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through


class ScaledTanh(nn.Module):
    """``1.7159 tanh(2x/3)``: +1 and -1 lie where the curvature is largest (appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return 1.7159 * torch.tanh(x * (2 / 3))


@dataclass(frozen=True, slots=True)
class Config:
    """LeNet-5 has one size."""

    classes: int = 10
    in_channels: int = 1


class Network(nn.Module):
    """LeNet-5: two convolutions with subsampling, one convolution as wide as its input, two linear layers."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.c1 = nn.Conv2d(config.in_channels, 6, kernel_size=5)  # 32 -> 28
        self.s2 = nn.AvgPool2d(2)  # -> 14
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)  # -> 10
        self.s4 = nn.AvgPool2d(2)  # -> 5
        self.c5 = nn.Conv2d(16, 120, kernel_size=5)  # -> 1
        self.f6 = nn.Linear(120, 84)
        self.tanh = ScaledTanh()
        self.feature_size = 84
        self.classifier = nn.Linear(self.feature_size, config.classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, channels, 32, 32)`` in about [-1, 1] to ``(batch, 120, 1, 1)``; larger inputs give larger maps."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """``(batch, 120, h, w)`` to logits ``(batch, classes)``, or to F6, ``(batch, 84)``."""
        f6: Tensor = self.tanh(self.f6(features.mean(dim=(2, 3))))
        return f6 if pre_logits else self.classifier(f6)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)
        _initialise(self.classifier)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give C1 to S2, C3 to S4, C5."""
        return (
            nn.Sequential(self.c1, self.tanh, self.s2),
            nn.Sequential(self.c3, self.tanh, self.s4),
            nn.Sequential(self.c5, self.tanh),
        )


def _initialise(module: nn.Module) -> None:
    """Weights uniform in +-2.4/fan-in (appendix A); biases zero."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        fan_in = module.weight[0].numel()
        nn.init.uniform_(module.weight, -2.4 / fan_in, 2.4 / fan_in)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
