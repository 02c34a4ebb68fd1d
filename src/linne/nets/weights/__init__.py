"""Weights: read from a file and recognised, published ones fetched and verified, written in our naming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linne.nets.weights.files import write_weights as write_weights
    from linne.nets.weights.recognise import Weights as Weights
    from linne.nets.weights.recognise import read_weights as read_weights

__all__ = ["Weights", "read_weights", "write_weights"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'linne.nets.weights' has no attribute {name!r}")
    from linne.nets.weights import files, recognise  # here, so that listing what is published imports no torch

    return getattr(files if name == "write_weights" else recognise, name)
