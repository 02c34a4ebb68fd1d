"""Logits from several views of an image: a network is surer where they agree.

Page ("How to Train Your ResNet", 2018) mirrors, Jordan 2024 (arXiv 2404.00498) shifts too.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def mirrored_and_shifted(network: nn.Module, inputs: Tensor) -> Tensor:
    """Give the mean of a network's logits for an image, its mirror image, and both shifted by a pixel two ways.

    The image where it was weighs as much as the shifted ones together.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    inputs : (batch, channels, height, width) float Tensor
        Normalised.
    """
    height, width = inputs.shape[2:]
    wide = F.pad(inputs, (1, 1, 1, 1), "reflect")
    weights = ((inputs, 0.5), (wide[:, :, :height, :width], 0.25), (wide[:, :, 2:, 2:], 0.25))
    logits = [weight / 2 * (network(view) + network(view.flip(-1))) for view, weight in weights]
    return torch.stack(logits).sum(dim=0)
