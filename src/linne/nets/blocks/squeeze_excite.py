"""Squeeze and excitation: channels weighed by what the whole map holds.

Hu, Shen, Albanie, Sun, Wu: "Squeeze-and-Excitation Networks", CVPR 2018 (arXiv 1709.01507).
"""

from __future__ import annotations

from torch import Tensor, nn

from linne.nets.blocks.conv_norm_act import Activation, relu


class SqueezeExcite(nn.Module):
    """Mean over places, a bottleneck of two 1x1 convolutions, a gate for each channel.

    Parameters
    ----------
    channels, squeezed : int
    act : callable
        Makes the activation inside the bottleneck.
    gate : callable
        Makes what maps to [0, 1].
    """

    def __init__(self, channels: int, squeezed: int, act: Activation = relu, gate: Activation = nn.Sigmoid) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.act = act()
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, h, w)`` to the same shape."""
        gates: Tensor = self.gate(self.expand(self.act(self.reduce(x.mean((2, 3), keepdim=True)))))
        return x * gates
