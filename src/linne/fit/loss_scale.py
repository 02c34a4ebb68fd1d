"""The loss in float16, scaled so that small gradients are not rounded to zero.

Micikevicius et al.: "Mixed Precision Training", ICLR 2018 (arXiv 1710.03740), section 3.2; the growth as in
`torch.amp.GradScaler`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

START, GROWTH_STEPS = 2.0**16, 2000

LEAST = 2.0**-14
"""A gradient that overflows even so is no number for another reason."""


class LossScale:
    """A factor of the loss: halved when a gradient overflows, doubled after many steps without that.

    Parameters
    ----------
    active : bool
        Without it the factor is 1, and what is not finite is left for the loop to find.
    """

    def __init__(self, active: bool) -> None:
        self.active, self.value, self._good = active, START if active else 1.0, 0

    @torch.no_grad()
    def undo(self, parameters: Iterable[nn.Parameter]) -> None:
        """Divide gradients by the factor."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        if self.active and gradients:  # a process may have no images of a batch
            torch._foreach_mul_(gradients, 1 / self.value)

    def worked(self, norm: Tensor) -> bool:
        """Whether the loop is to see a step with gradients of this norm, or it is left out; moves the factor.

        What is not finite though the factor is as small as it may be is left for the loop to find, too.
        """
        if not self.active:
            return True
        if not bool(norm.isfinite()):
            if self.value <= LEAST:
                return True
            self.value, self._good = self.value / 2, 0
            return False
        self._good += 1
        if self._good == GROWTH_STEPS:
            self.value, self._good = self.value * 2, 0
        return True

    def state(self) -> dict[str, Tensor]:
        """What `load` needs."""
        return {"value": torch.tensor(self.value, dtype=torch.float64), "good": torch.tensor(self._good)}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        self.value, self._good = float(state["value"]), int(state["good"])
