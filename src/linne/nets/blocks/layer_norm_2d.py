"""Layer norm of a map."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm2d(nn.LayerNorm):
    """Normalise the channels at each place of ``(batch, channels, h, w)``."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)
