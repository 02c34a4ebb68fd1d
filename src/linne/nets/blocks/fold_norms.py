"""Batch norms put into the convolutions before them, for networks that are only to be run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn

from linne.nets.blocks.branches import behind, with_kernel


@torch.no_grad()
def fold_norms(module: nn.Module) -> None:
    """Fold each batch norm of `foldable` into the convolution before it, in place."""
    for part, _, conv, place, norm in list(foldable(module)):
        with_kernel(conv, *behind(conv.weight, norm))
        setattr(part, place, nn.Identity())


def foldable(module: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Conv2d, str, nn.BatchNorm2d]]:
    """Find each convolution with a batch norm behind it in a `torch.nn.Sequential`, and both their places in it.

    Only there it is certain that nothing else sees what lies between the two; but parts that are used twice, and those
    that a hook watches, stay as they are.
    """
    uses = Counter(child for part in module.modules() for child in part.children())
    for part in module.modules():
        if not isinstance(part, nn.Sequential) or type(part).forward is not nn.Sequential.forward:
            continue
        for (conv_place, conv), (place, norm) in pairwise(list(part.named_children())):
            if uses[conv] > 1 or uses[norm] > 1 or _is_watched(conv) or _is_watched(norm):
                continue
            if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d) or not _folds(conv):
                continue
            if type(norm) is nn.BatchNorm2d and norm.running_mean is not None and norm.affine:
                yield part, conv_place, conv, place, norm


def _folds(conv: nn.Module) -> bool:
    return type(conv) is nn.Conv2d and conv.bias is None


def _is_watched(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)
