"""What every network of the lineage offers, whatever its family."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn


class Network(Protocol):
    """The contract; families are plain `torch.nn.Module` classes that keep it.

    ``network(images)`` is ``forward_head(forward_features(images))``, and in evaluation mode
    ``classifier(forward_head(features, pre_logits=True))``.
    """

    feature_size: int
    """Length of the vector before the classifier."""

    classifier: nn.Module
    """The last layer, from the vector ``(batch, feature_size)`` to logits."""

    checkpointing: bool
    """Set it to keep only what enters each stage in training: less memory, a third more time."""

    def forward_features(self, images: Tensor) -> Tensor:
        """Images ``(batch, channels, height, width)`` to the last feature map or the last tokens."""

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """What `forward_features` gave to logits ``(batch, classes)``, or to the vector before the classifier."""

    def replace_head(self, classes: int) -> None:
        """Put a new, random `torch.nn.Linear` of `classes` outputs in the classifier's place."""

    def stages(self) -> tuple[nn.Module, ...]:
        """Modules that, applied in turn, are `forward_features`: the units of freezing and of layer-wise rates."""
