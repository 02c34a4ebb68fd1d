"""AdamW in one kernel.

The first optimizer of `torch.optim` that is made imports torch's compiler: 3.6 s on two cores, out of a budget that
may be 60 s, for nothing that is used here. The update is the same (tests/fit/test_adamw.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from linne.fit.groups import Group
from linne.fit.restored import restore
from linne.fit.sharded import own_piece

BETAS = (0.9, 0.999)
EPSILON = 1e-8


@dataclass(frozen=True, slots=True)
class _Moved:
    """A parameter and what its update needs."""

    parameter: nn.Parameter
    mean: Tensor
    square: Tensor


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019).

    Parameters
    ----------
    groups : iterable of Group
        Of parameters that are on their device, and in the memory order that they keep.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        self._groups = [
            (group, [_Moved(each, torch.zeros_like(each), torch.zeros_like(each)) for each in group.parameters])
            for group in groups
        ]
        self._steps = torch.zeros((), dtype=torch.int64)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Update every parameter that has a gradient, and forget the gradients."""
        self._steps += 1
        for group, moved in self._groups:
            moving = [each for each in moved if each.parameter.grad is not None]
            if moving:
                _move(moving, learning_rate * group.rate, group.decay, int(self._steps))
            for each in moving:
                each.parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        """Give what a checkpoint needs, by the parameters' order: not copies, the next step changes them."""
        found = {"steps": self._steps}
        for number, each in enumerate(each for _, moved in self._groups for each in moved):
            found[f"mean.{number}"], found[f"square.{number}"] = each.mean, each.square
        return found

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave, of the same parameters in the same order; `LinneError` if it is of others."""
        restore(self.state(), state)


def _move(moved: list[_Moved], learning_rate: float, decay: float, steps: int) -> None:
    """Update parameters by the kernel of torch.optim's fused AdamW, which reads and writes each value once."""
    parameters = [own_piece(each.parameter) for each in moved]
    torch._fused_adamw_(
        parameters,
        [_laid_out_as(parameter, each.parameter.grad) for parameter, each in zip(parameters, moved, strict=True)],
        [own_piece(each.mean) for each in moved],
        [own_piece(each.square) for each in moved],
        [],
        [torch.full((), steps, dtype=torch.float32, device=parameters[0].device)] * len(parameters),
        lr=learning_rate,
        beta1=BETAS[0],
        beta2=BETAS[1],
        weight_decay=decay,
        eps=EPSILON,
        amsgrad=False,
        maximize=False,
    )


def _laid_out_as(parameter: Tensor, gradient: Tensor | None) -> Tensor:
    """Give the gradient in the parameter's memory order: the kernel goes through memory and asks for no strides."""
    assert gradient is not None  # noqa: S101 - those without are left out
    own = own_piece(gradient)
    return own if own.stride() == parameter.stride() else torch.empty_like(parameter).copy_(own)
