"""How large is a network, and how many multiply-adds does it take?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from linne.nets.catalogue import entry
from linne.nets.shapes import on_meta


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted, none of it looked up.

    Attributes
    ----------
    parameters : int
        Trainable or not; running statistics are none.
    macs : int
        Multiply-adds of convolutions and matrix products for one image; norms, activations, pooling and sums are
        left out, as is usual.
    layers : int
        Convolutions and linear layers, without projections on shortcuts, as the papers count depth.
    """

    parameters: int
    macs: int
    layers: int


@cache
def count(name: str, height: int | None = None, width: int | None = None) -> Count:
    """Count a network of the catalogue on the meta device, which computes shapes and no values.

    Parameters
    ----------
    name : str
    height, width : int, optional
        Of the image; by default the published size.
    """
    row = entry(name)
    network = on_meta(row, row.classes, row.pixels.channels)
    return count_network(network, row.pixels.channels, height or row.pixels.height, width or row.pixels.width)


def count_network(network: nn.Module, channels: int, height: int, width: int) -> Count:
    """Count a network that lies on the meta device, in evaluation mode."""
    images = torch.empty(1, channels, height, width, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(images)
    layers = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and "shortcut" not in name and "auxiliary" not in name
    ]
    return Count(sum(p.numel() for p in network.parameters()), counter.get_total_flops() // 2, len(layers))
