"""Attention whose values are longer than its keys."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def attend(query: Tensor, key: Tensor, value: Tensor, biases: Tensor) -> Tensor:
    """Scaled dot-product attention.

    PyTorch has no fused kernel of it for CPUs where lengths differ, and what it takes instead searches the logits for
    rows that are all minus infinity. Written out, it takes two thirds of the time there (`benchmarks/blocks.py`).

    Parameters
    ----------
    query : (batch, heads, queries, c) Tensor
    key : (batch, heads, keys, c) Tensor
    value : (batch, heads, keys, c') Tensor
    biases : (1, heads, queries, keys) Tensor
        Added to the logits.

    Returns
    -------
    (batch, heads, queries, c') Tensor
    """
    if not query.is_cpu:
        return F.scaled_dot_product_attention(query, key, value, biases)
    logits: Tensor = (query * query.shape[3] ** -0.5) @ key.transpose(2, 3)
    logits += biases
    return logits.softmax(3) @ value
