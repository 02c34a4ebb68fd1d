"""What a training loss is told of classes that are rare."""

from __future__ import annotations

from torch import Tensor

LEAST_POSITIVE, MOST_POSITIVE = 0.01, 100.0


def inverse_frequency(counts: Tensor) -> Tensor:
    """Weigh each class by one over its number of images, so that all classes weigh the same together.

    Parameters
    ----------
    counts : (classes,) Tensor
        Training images of each class; a class without any counts as one that has one.

    Returns
    -------
    (classes,) float32 Tensor
        Their mean over the training images is 1, so that the loss's mean over a batch needs no other divisor.
    """
    return _of_mean_one(1 / _counted(counts), counts)


def log_prior(counts: Tensor, tau: float = 1.0) -> Tensor:
    """Give what is added to logits in training, so that the network need not learn how frequent classes are.

    Menon, Jayasumana, Rawat, Jain, Veit, Kumar: "Long-Tail Learning via Logit Adjustment", ICLR 2021 (arXiv
    2007.07314), equation 10, which is for labels that are not smoothed: a class that has a smaller share of the images
    than smoothing gives it would seem likely in all of them. In evaluation nothing is added, and each class counts the
    same.

    Parameters
    ----------
    counts : (classes,) Tensor
        Training images of each class; a class without any counts as one that has one.
    tau : float
        1 by the theory; 0 adjusts nothing.

    Returns
    -------
    (classes,) float32 Tensor
    """
    counted = _counted(counts)
    return (tau * (counted / counted.sum()).log()).float()


def positive_weights(counts: Tensor, images: int) -> Tensor:
    """Weigh a label that is there by how many images lack it over how many have it: both sides then weigh the same.

    Not more than a hundredfold, nor less than a hundredth: a label of one image would else drown all others, and that
    of all images teach nothing.

    Parameters
    ----------
    counts : (classes,) Tensor
        Training images with each label; a label without any counts as one that has one.
    images : int
        Of training, in all.

    Returns
    -------
    (classes,) float32 Tensor
        In [0.01, 100].
    """
    counted = _counted(counts)
    return ((images - counted) / counted).clamp(LEAST_POSITIVE, MOST_POSITIVE).float()


def _counted(counts: Tensor) -> Tensor:
    return counts.double().clamp(min=1)


def _of_mean_one(weights: Tensor, counts: Tensor) -> Tensor:
    images = counts.double()
    return (weights * images.sum() / (weights * images).sum()).float()
