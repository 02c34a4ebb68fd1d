"""A moving average of the weights, which is often better than the last weights, and never as noisy.

Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM J. Control Optim. 30 (1992). That of
Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, forgets exponentially.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from linne.fit.restored import restore
from linne.fit.sharded import is_cut


class Average:
    """The exponential moving average of what training changes in a module.

    Trained parameters and the running statistics of batch norms are averaged; whole numbers are copied.

    Parameters
    ----------
    module : torch.nn.Module
        On its device, with its frozen parameters frozen. The average begins with its weights.
    decay : float
        What the average keeps of itself at each update, in [0, 1). After t updates it keeps no more than
        (1 + t) / (10 + t), so that the start is forgotten soon.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self._updates = torch.zeros((), dtype=torch.int64)
        self._averages = {name: tensor.clone() for name, tensor in _changing(module).items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the weights that the module has now, after a step of its optimiser."""
        updates = int(self._updates)
        decay = min(self.decay, (1 + updates) / (10 + updates))
        averages, values = [], []
        for name, value in _changing(module).items():
            if value.is_floating_point():
                averages.append(self._averages[name])
                values.append(value)
            else:
                self._averages[name].copy_(value)
        if any(map(is_cut, values)):  # pieces do not go into one list with what is whole
            for average, value in zip(averages, values, strict=True):
                average.lerp_(value, 1 - decay)
        else:
            torch._foreach_lerp_(averages, values, 1 - decay)
        self._updates += 1

    @contextmanager
    def swapped(self, module: nn.Module) -> Iterator[None]:
        """Give the module the averages, and its own weights back at the end, bit for bit."""
        places = _changing(module)
        own = {name: tensor.clone() for name, tensor in places.items()}
        try:
            restore(places, self._averages)
            yield
        finally:
            restore(places, own)

    def state(self) -> dict[str, Tensor]:
        """Give what a checkpoint needs: not copies, the next update changes them."""
        return {"updates": self._updates, **{f"average.{name}": each for name, each in self._averages.items()}}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave, of the same module; `LinneError` if it is of another."""
        restore(self.state(), state)


def _changing(module: nn.Module) -> dict[str, Tensor]:
    """Give what training may change: all that is kept with a module but its frozen parameters."""
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    return {name: tensor for name, tensor in module.state_dict().items() if name not in frozen}
