"""Parallel convolutions that are folded into one after training, and the sums that this takes.

Anasosalu Vasu, Gabriel, Zhu, Tuzel, Ranjan: "MobileOne: An Improved One millisecond Mobile Backbone", CVPR 2023
(arXiv 2206.04040), section 3.2.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct
from linne.nets.blocks.squeeze_excite import SqueezeExcite


@runtime_checkable
class Foldable(Protocol):
    """What does the same as one convolution."""

    def folded(self) -> nn.Conv2d:
        """Give that convolution."""
        ...


class Branches(nn.Module):
    """A convolution, a smaller one (0: none) and, where the shape stays, the identity: each with batch norm, added."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, small: int) -> None:
        super().__init__()
        self.large = ConvNormAct(inputs, outputs, kernel, stride, groups, act=None)
        if small:
            self.small = ConvNormAct(inputs, outputs, small, stride, groups, act=None)
        if inputs == outputs and stride == 1:
            self.identity = nn.BatchNorm2d(inputs)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, inputs, h, w)`` to ``(batch, outputs, h / stride, w / stride)``."""
        large, *others = self.children()
        out: Tensor = large(x)
        for branch in others:
            out += branch(x)
        return out

    def kernel(self) -> tuple[Tensor, Tensor]:
        """Sum all branches up to one kernel and one bias."""
        conv = self.large.conv
        parts = [behind(conv.weight, self.large.norm)]
        if hasattr(self, "small"):
            zeros = (conv.kernel_size[0] - self.small.conv.kernel_size[0]) // 2
            parts.append(behind(F.pad(self.small.conv.weight, [zeros] * 4), self.small.norm))
        if hasattr(self, "identity"):
            parts.append(behind(identity_kernel(conv), self.identity))
        kernels, biases = zip(*parts, strict=True)
        return torch.stack(kernels).sum(0), torch.stack(biases).sum(0)

    def folded(self) -> nn.Conv2d:
        """Give one convolution that does the same."""
        return with_kernel(self.large.conv, *self.kernel())


def mobile_one(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, squeezed: int = 0
) -> nn.Sequential:
    """Branches, squeeze and excitation (to 0: none), GELU: the block of MobileOne."""
    block = nn.Sequential()
    block.conv = Branches(inputs, outputs, kernel, stride, groups, small=1 if kernel > 1 else 0)
    if squeezed:
        block.squeeze = SqueezeExcite(outputs, squeezed)
    block.act = nn.GELU()
    return block


@torch.no_grad()
def fold(module: nn.Module) -> None:
    """Put one convolution in the place of each part that can be folded (`Foldable`), in place."""
    for name, child in module.named_children():
        if isinstance(child, Foldable):
            setattr(module, name, child.folded())
        else:
            fold(child)


def behind(kernel: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Give the kernel and the bias of a convolution without bias and the batch norm behind it, in double precision."""
    mean, variance = (norm.get_buffer(name).double() for name in ("running_mean", "running_var"))
    scale = norm.weight.double() / (variance + norm.eps).sqrt()
    return kernel * scale[:, None, None, None], norm.bias - mean * scale


def identity_kernel(like: nn.Conv2d) -> Tensor:
    """Give the kernel of a convolution that changes nothing."""
    return nn.init.dirac_(torch.empty_like(like.weight), like.groups)


def with_kernel(conv: nn.Conv2d, kernel: Tensor, bias: Tensor) -> nn.Conv2d:
    """Put `kernel` and `bias` in a convolution."""
    trainable = conv.weight.requires_grad
    conv.bias = nn.Parameter(bias.to(conv.weight.dtype), trainable)
    conv.weight = nn.Parameter(kernel.to(conv.weight.dtype), trainable)
    return conv
