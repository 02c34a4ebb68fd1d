"""Tensors put back where they were when they were kept."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from linne.records.errors import LinneError


@torch.no_grad()
def restore(places: Mapping[str, Tensor], kept: Mapping[str, Tensor]) -> None:
    """Copy kept tensors into their places, on whatever device and in whatever memory order these are.

    Raises
    ------
    LinneError
        They are not those of the places: other names, shapes or dtypes. Nothing is changed then.
    """
    for name in sorted(places.keys() | kept.keys()):
        place, found = (None if tensors.get(name) is None else tensors[name] for tensors in (places, kept))
        if place is None or found is None or (place.shape, place.dtype) != (found.shape, found.dtype):
            raise LinneError(
                "what was kept is of another training",
                value=f"{name}: {_told(found)} for {_told(place)}",
                remedy="start anew, or give the plan that it was kept for",
            )
    for name, place in places.items():
        place.copy_(kept[name])


def _told(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
