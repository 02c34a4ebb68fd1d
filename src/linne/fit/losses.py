"""The training losses, an image at a time, so that they can be averaged over whatever makes up a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class CrossEntropy:
    """Cross entropy of one label an image.

    Attributes
    ----------
    smoothing : float
        Label smoothing in [0, 1): this share of the label's weight is every class's alike (Szegedy et al., CVPR 2016).
    weights : (classes,) float Tensor, optional
        Of classes: see `linne.fit.class_weights`.
    added : (classes,) float Tensor, optional
        Added to the logits in training: see `linne.fit.class_weights.log_prior`.
    """

    smoothing: float = 0.0
    weights: Tensor | None = None
    added: Tensor | None = None

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Give the loss of each image.

        Parameters
        ----------
        logits : (batch, classes) float Tensor
        labels : (batch,) int64 Tensor

        Returns
        -------
        (batch,) float Tensor
        """
        if self.added is not None:
            logits = logits + self.added
        losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=self.smoothing)
        # An image weighs what its class does. Torch weighs the smoothed label class by class, so that a rare class, of
        # large weight, gets more than an image's own.
        return losses if self.weights is None else losses * self.weights[labels]

    def on(self, device: torch.device) -> CrossEntropy:
        """Give the same with its tensors on a device."""
        weights, added = (None if each is None else each.to(device) for each in (self.weights, self.added))
        return replace(self, weights=weights, added=added)


@dataclass(frozen=True, slots=True, eq=False)
class BinaryCrossEntropy:
    """`binary_cross_entropy` of images with any number of labels.

    Attributes
    ----------
    smoothing : float
    positive_weights : (classes,) float Tensor, optional
    """

    smoothing: float = 0.0
    positive_weights: Tensor | None = None

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Give the loss of each image, of targets ``(batch, classes)`` of any type."""
        return binary_cross_entropy(logits, targets.to(logits.dtype), self.smoothing, self.positive_weights)

    def on(self, device: torch.device) -> BinaryCrossEntropy:
        """Give the same with its tensors on a device."""
        weights = self.positive_weights
        return replace(self, positive_weights=None if weights is None else weights.to(device))


def binary_cross_entropy(
    logits: Tensor, targets: Tensor, smoothing: float = 0.0, positive_weights: Tensor | None = None
) -> Tensor:
    """Give the mean binary cross entropy over the classes, for images with any number of labels.

    Parameters
    ----------
    logits : (batch, classes) float Tensor
    targets : (batch, classes) float Tensor
        In [0, 1].
    smoothing : float
        Moves targets towards a half, in [0, 1).
    positive_weights : (classes,) float Tensor, optional
        What a present label weighs over an absent one, smoothed or not.

    Returns
    -------
    (batch,) float Tensor
    """
    smooth = targets * (1 - smoothing) + smoothing / 2
    losses = F.binary_cross_entropy_with_logits(logits, smooth, reduction="none")
    return (losses if positive_weights is None else losses * (1 + (positive_weights - 1) * targets)).mean(1)
