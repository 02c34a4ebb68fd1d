"""Attention that also sees how far apart two places lie: a learned bias for each offset, on maps of any size.

Dai, Liu, Le, Tan: "CoAtNet: Marrying Convolution and Attention for All Data Sizes", NeurIPS 2021 (arXiv 2106.04803),
equation 3. The biases are a static depthwise kernel as large as the map, added to what the content says.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.nets.blocks.linear import Linear
from linne.nets.blocks.resample import resample
from linne.nets.blocks.windows import biases_of_pairs

HEAD = 32
"""Channels of a head."""


class RelativeAttention(nn.Module):
    """Multi-head self-attention between all places of a map.

    Parameters
    ----------
    inputs, inner, outputs : int
        Channels of the map, of all heads together, of the result.
    side : int
        Height and width of the maps that the biases are stored for; they are resampled for others.
    """

    def __init__(self, inputs: int, inner: int, outputs: int, side: int) -> None:
        super().__init__()
        self.heads = inner // HEAD
        self.qkv = Linear(inputs, 3 * inner)
        self.bias_table = nn.Parameter(torch.empty(self.heads, 2 * side - 1, 2 * side - 1))
        self.project = Linear(inner, outputs)
        nn.init.normal_(self.bias_table, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """``(..., height, width, inputs)`` to ``(..., height, width, outputs)``."""
        height, width = x.shape[-3:-1]
        qkv = self.qkv(x).reshape(-1, height * width, 3, self.heads, HEAD)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (maps, heads, places, 32)
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=self.biases(height, width))
        mixed: Tensor = self.project(out.transpose(1, 2).reshape(*x.shape[:-1], self.heads * HEAD))
        return mixed

    def biases(self, height: int, width: int) -> Tensor:
        """Give what is added to the logit of each query and key: ``(1, heads, height * width, height * width)``."""
        height, width = int(height), int(width)  # numbers, where the exporter to ONNX traces sizes as tensors
        return biases_of_pairs(resample(self.bias_table, 2 * height - 1, 2 * width - 1), height, width)
