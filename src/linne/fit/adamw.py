"""AdamW in a few public tensor operations.

The first optimizer of `torch.optim` that is made imports torch's compiler: 3.6 s on two cores, out of a budget that
may be 60 s, for nothing that is used here. The update is the same (tests/fit/test_adamw.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019).

    Parameters
    ----------
    groups : iterable of (iterable of Parameter, float)
        Parameters with their weight decay.
    """

    def __init__(self, groups: Iterable[tuple[Iterable[nn.Parameter], float]]) -> None:
        self.state = [
            (parameter, decay, torch.zeros_like(parameter), torch.zeros_like(parameter))
            for parameters, decay in groups
            for parameter in parameters
        ]
        self.steps = 0

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Update every parameter that has a gradient, and forget the gradients."""
        self.steps += 1
        first, second = BETAS
        mean_bias, square_bias = 1 - first**self.steps, 1 - second**self.steps
        for parameter, decay, mean, square in self.state:
            gradient: Tensor | None = parameter.grad
            if gradient is None:
                continue
            parameter.mul_(1 - learning_rate * decay)
            mean.lerp_(gradient, 1 - first)
            square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
            deviation = (square.sqrt() / math.sqrt(square_bias)).add_(EPSILON)
            parameter.addcdiv_(mean, deviation, value=-learning_rate / mean_bias)
            parameter.grad = None
