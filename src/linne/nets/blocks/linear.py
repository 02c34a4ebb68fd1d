"""A linear layer at each token or place, by the fastest product of matrices that the processor has.

PyTorch multiplies float32 matrices on CPUs with Intel's MKL, which uses no AVX-512 on processors by AMD that have it;
its convolutions go through oneDNN, which does. A 1x1 convolution of channels that lie last is the same product, so that
there it takes half of the time, forward and backward (`benchmarks/blocks.py`). With AVX2 alone it takes more.
"""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

AMD = "AuthenticAMD"


class Linear(nn.Linear):
    """`torch.nn.Linear` for ``(batch, tokens, c)``, ``(batch, h, w, c)`` and deeper shapes."""

    def forward(self, x: Tensor) -> Tensor:
        """``(..., inputs)`` to ``(..., outputs)``."""
        return linear(x, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Do what `torch.nn.functional.linear` does."""
    if not _by_convolution(x):
        return F.linear(x, weight, bias)
    maps = x.unsqueeze(2) if x.ndim == 3 else x.flatten(0, -4)
    out = F.conv2d(maps.permute(0, 3, 1, 2), weight[:, :, None, None], bias).permute(0, 2, 3, 1)
    return out.reshape(*x.shape[:-1], len(weight))


def _by_convolution(x: Tensor) -> bool:
    if not x.is_cpu or x.dtype != torch.float32 or x.ndim < 3 or not x.numel():
        return False
    if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None or torch.is_autocast_enabled("cpu"):
        return False
    return _mkl_is_slow()


@cache
def _mkl_is_slow() -> bool:
    """Whether this is an AMD processor with AVX-512, with a PyTorch that has both libraries."""
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    if not (torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()):  # type: ignore[no-untyped-call]
        return False
    try:
        return AMD in Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:
        return AMD in platform.processor()
