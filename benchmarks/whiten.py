"""The first layer of a small network from what its images are like: filters that whiten patches.

Coates, Ng: "Learning Feature Representations with K-Means", 2012, section 2.2: neighbouring pixels say much the same;
in coordinates that are independent and equally loud a network learns faster. Page ("How to Train Your ResNet", 2018)
made a convolution of it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linne.records.errors import LinneError

FLOOR = 5e-4
"""Added to variances: what is quieter is noise, and is not made loud."""


@torch.no_grad()
def whiten_stem(network: nn.Module, images: Tensor, floor: float = FLOOR) -> nn.Conv2d:
    """Set the filters of a network's first convolution to the main directions of its images' patches.

    Parameters
    ----------
    network : torch.nn.Module
        Of the contract; its first stage holds the convolution, whose filters see all channels.
    images : (n, channels, height, width) float tensor
        Normalised, on the network's device; a few thousand do.
    floor : float
        Added to each direction's mean square.

    Returns
    -------
    torch.nn.Conv2d
        The convolution, so that the caller can leave its weights out of training. On the patches of `images` each of
        its filters has a mean square of nearly 1, and no two are correlated. The loudest directions come first, then
        the same ones with the opposite sign, as many as there are filters; filters beyond that stay as they are.

    Raises
    ------
    LinneError
        The network begins with no such convolution, or the images are smaller than its filters.
    """
    stem = network.stages()[0]  # type: ignore[operator]
    first = next((module for module in stem.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None or first.groups != 1 or first.dilation != (1, 1):
        raise LinneError("does not begin with a convolution over all channels", value=type(network).__name__)
    if images.ndim != 4 or images.shape[1] != first.in_channels or min(images.shape[2:]) < max(first.kernel_size):
        raise LinneError("images do not fit the first convolution", value=tuple(images.shape))
    height, width = first.kernel_size
    patches = images.float().unfold(2, height, 1).unfold(3, width, 1)
    patches = patches.permute(0, 2, 3, 1, 4, 5).flatten(0, 2).flatten(1)
    squares, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (directions / (squares + floor).sqrt()).T.flip(0)  # loudest first
    filters = torch.cat([filters, -filters])[: first.out_channels].view(-1, *first.weight.shape[1:])
    first.weight[: len(filters)] = filters.to(first.weight.dtype)
    return first
