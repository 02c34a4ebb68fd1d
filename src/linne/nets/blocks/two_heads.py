"""Two classifiers: one learns the label, the other what a teacher says.

Touvron et al.: "Training Data-Efficient Image Transformers & Distillation through Attention", ICML 2021
(arXiv 2012.12877), section 4.
"""

from __future__ import annotations

from torch import Tensor, nn

from linne.records.errors import LinneError


class TwoHeads(nn.Module):
    """A linear layer for each half of a vector, and the mean of both."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.label = nn.Linear(width, classes)
        self.teacher = nn.Linear(width, classes)

    def forward(self, vector: Tensor) -> Tensor:
        """``(batch, 2 width)`` to logits ``(batch, classes)``."""
        label, teacher = self.both(vector)
        return (label + teacher) / 2

    def both(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, 2 width)`` to the logits of each head."""
        first, second = vector.chunk(2, dim=1)
        return self.label(first), self.teacher(second)


def logits_of_both(classifier: nn.Module, vector: Tensor) -> tuple[Tensor, Tensor]:
    """``(batch, 2 width)`` to the logits of each head.

    Raises
    ------
    LinneError
        The heads have been replaced by one.
    """
    if not isinstance(classifier, TwoHeads):
        raise LinneError("the two heads have been replaced by one", value=type(classifier).__name__)
    return classifier.both(vector)
