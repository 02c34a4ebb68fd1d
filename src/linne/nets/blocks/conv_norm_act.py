"""Convolution, batch norm, activation: the unit that most convolutional networks since 2015 are made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

relu = partial(nn.ReLU, inplace=True)
relu6 = partial(nn.ReLU6, inplace=True)
silu = partial(nn.SiLU, inplace=True)
hard_swish = partial(nn.Hardswish, inplace=True)

Activation = Callable[[], nn.Module]


class ConvNormAct(nn.Sequential):
    """Convolution without bias, batch norm, activation (None leaves it out).

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel : int
        Height and width of the filter.
    stride, groups : int
    act : callable, optional
        Makes the activation.
    eps : float
        Of the batch norm.
    padding : int or str, optional
        By default ``kernel // 2``. 'same' pads as TensorFlow does: unevenly, and by the size of the input.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        act: Activation | None = relu,
        eps: float = 1e-5,
        padding: int | str | None = None,
    ) -> None:
        super().__init__()
        if padding == "same" and stride > 1:
            self.pad = SamePadding(kernel, stride)
            padding = 0
        elif padding is None or padding == "same":
            padding = kernel // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps)
        if act is not None:
            self.act = act()


class SamePadding(nn.Module):
    """Zeros around a map, so that a convolution of stride s gives ``ceil(side / s)``: TensorFlow's 'SAME'.

    Where the number of zeros is odd, one more lies right and below; PyTorch's own padding is the same on all sides.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, c, h, w)`` to ``(batch, c, h + up to kernel - 1, w + up to kernel - 1)``."""
        below, right = (self._zeros(side) for side in x.shape[2:])
        return nn.functional.pad(x, (right // 2, right - right // 2, below // 2, below - below // 2))

    def _zeros(self, side: int) -> int:
        covered = ((side + self.stride - 1) // self.stride - 1) * self.stride + self.kernel
        return max(0, covered - side)
