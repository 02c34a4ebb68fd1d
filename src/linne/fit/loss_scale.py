"""The loss in float16, scaled so that small gradients are not rounded to zero.

Micikevicius et al.: "Mixed Precision Training", ICLR 2018 (arXiv 1710.03740), section 3.2; the growth as in
`torch.amp.GradScaler`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

START, GROWTH_STEPS = 2.0**16, 2000


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
        if self.active:
            torch._foreach_mul_([p.grad for p in parameters if p.grad is not None], 1 / self.value)

    def worked(self, norm: Tensor) -> bool:
        """Whether a step with gradients of this norm may be made; moves the factor."""
        if not self.active:
            return True
        if not bool(norm.isfinite()):
            self.value, self._good = max(self.value / 2, 2.0**-14), 0
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
