"""Batch norms put into the convolutions before them, for networks that are only to be run."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from linne.nets.blocks.branches import behind, with_kernel


@torch.no_grad()
def fold_norms(module: nn.Module) -> None:
    """Fold each batch norm that follows a convolution in a `torch.nn.Sequential`, in place.

    Only there it is certain that nothing else sees what lies between the two.
    """
    for part in module.modules():
        if not isinstance(part, nn.Sequential) or type(part).forward is not nn.Sequential.forward:
            continue
        for (_, conv), (place, norm) in pairwise(list(part.named_children())):
            if _folds(conv) and type(norm) is nn.BatchNorm2d and norm.running_mean is not None and norm.affine:
                with_kernel(conv, *behind(conv.weight, norm))  # type: ignore[arg-type]
                setattr(part, place, nn.Identity())


def _folds(conv: nn.Module) -> bool:
    # A hook wants to see what the convolution gave.
    return type(conv) is nn.Conv2d and conv.bias is None and not conv._forward_hooks
