"""A linear layer at each place, and batch norm, which can be folded into it.

Graham et al.: "LeViT: a Vision Transformer in ConvNet's Clothing for Faster Inference", ICCV 2021 (arXiv 2104.01136),
section 4.2.
"""

from __future__ import annotations

from torch import Tensor, nn


class LinearNorm(nn.Module):
    """Linear layer without bias, batch norm: the 1x1 convolution of places that lie last but one."""

    def __init__(self, inputs: int, outputs: int, scale: float = 1.0) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.norm = nn.BatchNorm1d(outputs)
        nn.init.constant_(self.norm.weight, scale)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, h, w, inputs)`` to ``(batch, h, w, outputs)``."""
        y: Tensor = self.norm(self.linear(x.flatten(0, 2)))
        return y.reshape(*x.shape[:3], self.linear.out_features)
