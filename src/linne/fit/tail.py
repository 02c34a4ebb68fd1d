"""The part of a network that is trained: its last stages and its head."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Tail(nn.Module):
    """What enters stage `stage` to logits; shares its modules with the network.

    Parameters
    ----------
    network : torch.nn.Module
        Keeps `linne.nets.contract.Network`.
    stage : int
        Stages before it are frozen.
    both_heads : bool
        Give the logits of the head for the labels and of that for a teacher, in training.
    """

    def __init__(self, network: nn.Module, stage: int, both_heads: bool = False) -> None:
        super().__init__()
        stages = network.stages()  # type: ignore[operator]
        network.requires_grad_(True)
        for frozen in stages[:stage]:
            frozen.requires_grad_(False)
        self.network = network
        self.stage = stage
        self.both_heads = both_heads

    def forward(self, x: Tensor) -> Tensor:
        """Activations ``(batch, c, h, w)`` to logits ``(batch, classes)``, or of both heads ``(batch, 2, classes)``."""
        for stage in self.network.stages()[self.stage :]:  # type: ignore[operator]
            x = stage(x)
        if self.both_heads and self.training:
            return torch.stack(self.network.forward_heads(x), dim=1)  # type: ignore[operator]
        logits: Tensor = self.network.forward_head(x)  # type: ignore[operator]
        return logits


def without_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of a `Tail` as that of its network."""
    return {name.removeprefix("network."): value for name, value in state.items()}
