"""AdamW in a few tensor operations.

The first optimizer of `torch.optim` that is made imports torch's compiler: 3.6 s on two cores, out of a budget that
may be 60 s, for nothing that is used here. The update is the same (tests/fit/test_adamw.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from linne.fit.groups import Group
from linne.fit.restored import restore

BETAS = (0.9, 0.999)
EPSILON = 1e-8


@dataclass(frozen=True, slots=True)
class _Moved:
    """A parameter and what its update needs."""

    parameter: nn.Parameter
    decay: float
    rate: float
    mean: Tensor
    square: Tensor


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019).

    Parameters
    ----------
    groups : iterable of Group
    at_once : bool, optional
        All parameters in a few operations: on a GPU most take longer to start than to run. A CPU takes one parameter
        after the other, which stays in its cache. By default, as the parameters' device has it.
    """

    def __init__(self, groups: Iterable[Group], at_once: bool | None = None) -> None:
        self._moved = [
            _Moved(parameter, group.decay, group.rate, torch.zeros_like(parameter), torch.zeros_like(parameter))
            for group in groups
            for parameter in group.parameters
        ]
        self._steps = torch.zeros((), dtype=torch.int64)
        self._at_once = any(each.parameter.is_cuda for each in self._moved) if at_once is None else at_once

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Update every parameter that has a gradient, and forget the gradients."""
        self._steps += 1
        steps = int(self._steps)
        moved = [each for each in self._moved if each.parameter.grad is not None]
        for some in [moved] if self._at_once and moved else [[each] for each in moved]:
            _move(some, learning_rate, steps)
        for each in moved:
            each.parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        """Give what a checkpoint needs, by the parameters' order: not copies, the next step changes them."""
        found = {"steps": self._steps}
        for number, each in enumerate(self._moved):
            found[f"mean.{number}"], found[f"square.{number}"] = each.mean, each.square
        return found

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave, of the same parameters in the same order; `LinneError` if it is of others."""
        restore(self.state(), state)


def _move(moved: list[_Moved], learning_rate: float, steps: int) -> None:
    """Update some parameters, by the operations on lists that torch.optim uses."""
    first, second = BETAS
    mean_bias, square_bias = 1 - first**steps, 1 - second**steps
    parameters: list[Tensor] = [each.parameter for each in moved]
    gradients = [each.parameter.grad for each in moved if each.parameter.grad is not None]
    means, squares = [each.mean for each in moved], [each.square for each in moved]
    torch._foreach_mul_(parameters, [1 - learning_rate * each.rate * each.decay for each in moved])
    torch._foreach_lerp_(means, gradients, 1 - first)
    torch._foreach_mul_(squares, second)
    torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
    deviations = torch._foreach_sqrt(squares)
    torch._foreach_div_(deviations, math.sqrt(square_bias))
    torch._foreach_add_(deviations, EPSILON)
    torch._foreach_addcdiv_(parameters, means, deviations, [-learning_rate * each.rate / mean_bias for each in moved])
