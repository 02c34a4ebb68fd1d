"""What every network of the lineage offers, whatever its family."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn


class Network(Protocol):
    """The contract; families are plain `torch.nn.Module` classes that keep it.

    ``network(images)`` is ``forward_head(forward_features(images))``.
    """

    feature_size: int
    """Length of the vector before the classifier."""

    classifier: nn.Linear
    """The last layer."""

    def forward_features(self, images: Tensor) -> Tensor:
        """Images ``(batch, channels, height, width)`` to the last feature map."""

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Feature map to logits ``(batch, classes)``, or to the vector before the classifier."""

    def replace_head(self, classes: int) -> None:
        """Put a new, random classifier of `classes` outputs in place."""

    def stages(self) -> tuple[nn.Module, ...]:
        """Modules that, applied in turn, are `forward_features`: the units of freezing."""
