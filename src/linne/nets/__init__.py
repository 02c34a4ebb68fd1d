"""The lineage: networks, their variants and their weights. Knows nothing of data or training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linne.nets.catalogue import names

if TYPE_CHECKING:
    from linne.nets.build import create as create

__all__ = ["create", "names"]


def __getattr__(name: str) -> Any:
    if name != "create":
        raise AttributeError(f"module 'linne.nets' has no attribute {name!r}")
    from linne.nets.build import create  # here, so that listing the networks imports no torch

    return create
