"""The optimisers by name, and what each offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from torch import Tensor, nn

from linne.fit.adamw import AdamW
from linne.fit.groups import Group
from linne.fit.muon import Muon, hidden_weights
from linne.fit.sgd import SGD


class Optimiser(Protocol):
    """Moves parameters against their gradients."""

    def step(self, learning_rate: float) -> None:
        """Update every parameter that has a gradient, and forget the gradients."""

    def state(self) -> dict[str, Tensor]:
        """Give what a checkpoint needs: not copies, the next step changes them."""

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave, bit for bit; `LinneError` if it is of other parameters."""


def make_optimiser(name: Literal["adamw", "sgd", "muon"], network: nn.Module, groups: Iterable[Group]) -> Optimiser:
    """Make an optimiser of a network's parameter groups (`linne.fit.groups.parameter_groups`), on its device."""
    match name:
        case "adamw":
            return AdamW(groups)
        case "sgd":
            return SGD(groups)
        case "muon":
            return Muon(groups, hidden_weights(network))
