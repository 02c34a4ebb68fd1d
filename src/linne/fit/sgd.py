"""Stochastic gradient descent with Nesterov's momentum.

Sutskever, Martens, Dahl, Hinton: "On the Importance of Initialization and Momentum in Deep Learning", ICML 2013. The
update is that of `torch.optim.SGD`, whose import takes seconds (`adamw.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from linne.fit.groups import Group
from linne.fit.restored import restore

MOMENTUM = 0.9


class SGD:
    """Descent with momentum; weight decay is a part of the gradient, as residual networks were trained.

    Parameters
    ----------
    groups : iterable of Group
    at_once : bool, optional
        The parameters of a group in a few operations; by default on a GPU (see `linne.fit.adamw.AdamW`).
    """

    def __init__(self, groups: Iterable[Group], at_once: bool | None = None) -> None:
        self._groups = tuple(groups)
        every = [parameter for group in self._groups for parameter in group.parameters]
        self._velocity = {parameter: torch.zeros_like(parameter) for parameter in every}
        self._at_once = any(parameter.is_cuda for parameter in every) if at_once is None else at_once

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Update every parameter that has a gradient, and forget the gradients."""
        for group in self._groups:
            moved = [parameter for parameter in group.parameters if parameter.grad is not None]
            for some in [moved] if self._at_once and moved else [[each] for each in moved]:
                self._move(some, group.decay, learning_rate * group.rate)

    def state(self) -> dict[str, Tensor]:
        """Give what a checkpoint needs, by the parameters' order: not copies, the next step changes them."""
        return {f"velocity.{number}": each for number, each in enumerate(self._velocity.values())}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave, of the same parameters in the same order; `LinneError` if it is of others."""
        restore(self.state(), state)

    def _move(self, moved: list[nn.Parameter], decay: float, learning_rate: float) -> None:
        parameters: list[Tensor] = list(moved)
        gradients = [each.grad for each in moved if each.grad is not None]
        velocities = [self._velocity[each] for each in moved]
        if decay:
            gradients = list(torch._foreach_add(gradients, parameters, alpha=decay))
        torch._foreach_mul_(velocities, MOMENTUM)
        torch._foreach_add_(velocities, gradients)
        ahead = torch._foreach_add(gradients, velocities, alpha=MOMENTUM)
        torch._foreach_add_(parameters, ahead, alpha=-learning_rate)
        for each in moved:
            each.grad = None
