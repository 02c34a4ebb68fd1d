"""The part of a network that is trained: its last stages and its head."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class Tail(nn.Module):
    """What enters stage `stage` to logits; shares its modules with the network.

    Parameters
    ----------
    network : torch.nn.Module
        Keeps `linne.nets.contract.Network`.
    stage : int
        Stages before it are frozen.
    """

    def __init__(self, network: nn.Module, stage: int) -> None:
        super().__init__()
        stages = network.stages()  # type: ignore[operator]
        network.requires_grad_(True)
        for frozen in stages[:stage]:
            frozen.requires_grad_(False)
        self.network = network
        self.stage = stage

    def forward(self, x: Tensor) -> Tensor:
        """Activations ``(batch, c, h, w)`` to logits ``(batch, classes)``."""
        for stage in self.network.stages()[self.stage :]:  # type: ignore[operator]
            x = stage(x)
        logits: Tensor = self.network.forward_head(x)  # type: ignore[operator]
        return logits


def without_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of a `Tail` as that of its network."""
    return {name.removeprefix("network."): value for name, value in state.items()}
