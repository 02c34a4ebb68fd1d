"""A network learns from a teacher's answers too."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Distillation:
    """How a teacher's logits enter the loss.

    Attributes
    ----------
    alpha : float
        What the teacher weighs, in [0, 1]; the labels have the rest.
    temperature : float or None
        Both networks' logits are divided by it, so that small probabilities tell too: Hinton, Vinyals, Dean,
        "Distilling the Knowledge in a Neural Network", 2015 (arXiv 1503.02531). None takes the teacher's answer as a
        label: Touvron et al., "Training Data-Efficient Image Transformers & Distillation through Attention", ICML 2021
        (arXiv 2012.12877), equation 3, where `alpha` is a half.
    """

    alpha: float = 0.5
    temperature: float | None = None

    def __call__(self, losses: Tensor, logits: Tensor, teacher: Tensor) -> Tensor:
        """Give the loss of each image.

        Parameters
        ----------
        losses : (batch,) float Tensor
            Against the labels.
        logits, teacher : (batch, classes) float Tensor
            Of the network, or of its head for the teacher, and of the teacher, for the same view of each image.

        Returns
        -------
        (batch,) float Tensor
        """
        if self.temperature is None:
            taught = F.cross_entropy(logits, teacher.argmax(1), reduction="none")
        else:
            taught = soft(logits, teacher, self.temperature)
        return (1 - self.alpha) * losses + self.alpha * taught


def soft(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Give the divergence of Kullback and Leibler of the softened answers, ``(batch,)``.

    It is multiplied by the square of `temperature`, so that its gradients stay as large as those of labels.
    """
    answers, expected = (F.log_softmax(each / temperature, dim=1) for each in (logits, teacher))
    return F.kl_div(answers, expected, reduction="none", log_target=True).sum(1) * temperature**2
