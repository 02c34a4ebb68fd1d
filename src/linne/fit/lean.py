"""ReLU6 that is trained from what it gives, in the memory of what it is given.

PyTorch's keeps its input for the gradient, so that it copies it first when it works in place. Which values it has
clipped can be told from its output as well, which the next layer keeps in any case.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import ConvNormAct

LOWEST, HIGHEST = 0.0, 6.0


class _ReLU6(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        ctx.save_for_backward(x.clamp_(LOWEST, HIGHEST))
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (out,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradients[0], out, LOWEST, HIGHEST)  # type: ignore[no-any-return]


class LeanReLU6(nn.Module):
    """`torch.nn.ReLU6` in place: the same values, and the same gradients.

    What it gives may not be changed in place by what follows, and is not within linne's networks.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``(...)`` to values in [0, 6]."""
        out: Tensor = _ReLU6.apply(x)
        return out


def lean_activations(module: nn.Module) -> None:
    """Put `LeanReLU6` in the place of each ReLU6 behind a convolution and a norm, in place."""
    for part in module.modules():
        if isinstance(part, ConvNormAct) and type(getattr(part, "act", None)) is nn.ReLU6:
            part.act = LeanReLU6()
