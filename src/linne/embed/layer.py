"""What any module of a network gives, for whoever wants features of their own choice."""

from __future__ import annotations

import threading
from difflib import get_close_matches
from typing import Any

from torch import Tensor, nn

from linne.embed.backbone import Features
from linne.records.errors import LinneError

POOLED = "pooled"
"""The vector before the classifier."""


class _Keep:
    """A hook that keeps what a module gives, for each thread that runs it.

    An object, and no closure: a copied network keeps its own.
    """

    def __init__(self) -> None:
        self._own = threading.local()

    def __deepcopy__(self, _memo: dict[int, Any]) -> _Keep:
        return _Keep()

    def __call__(self, _module: nn.Module, _arguments: Any, output: Any) -> None:
        self._own.kept = output

    def forget(self) -> None:
        self._own.kept = None

    @property
    def kept(self) -> Any:
        return self._own.kept


class Layer(nn.Module):
    """Images to what one module of a network gives, flattened.

    Parameters
    ----------
    network : torch.nn.Module
        Gets a hook.
    name : str
        As `torch.nn.Module.named_modules` calls it.

    Raises
    ------
    LinneError
        The network has no such module.
    """

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        modules = dict(network.named_modules())
        if name not in modules or not name:
            near = get_close_matches(name, modules, n=5, cutoff=0.3) or [child for child, _ in network.named_children()]
            raise LinneError(
                "the network has no such layer", value=name, remedy=f"take {POOLED}, or one such as {', '.join(near)}"
            )
        self.network = network
        self._keep = _Keep()
        module = modules[name]
        module.register_forward_hook(self._keep)
        # A list of modules may never be called itself: what its last one gives is what it gives.
        while isinstance(module, nn.Sequential | nn.ModuleList) and len(module):
            module = module[-1]
            module.register_forward_hook(self._keep)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """``(batch, channels, height, width)`` to ``(batch, values)``; `LinneError` where the layer gives no tensor."""
        self._keep.forget()
        self.network(images)
        if not isinstance(self._keep.kept, Tensor):
            raise LinneError("the layer gives no tensor", remedy="take another one")
        return (self._keep.kept.flatten(1),)


def layer_of(network: nn.Module, name: str) -> nn.Module:
    """Give a module that maps images to one layer's values; `LinneError` if there is none."""
    return Features(network) if name == POOLED else Layer(network, name)
