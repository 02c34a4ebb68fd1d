"""The lineage: networks, their variants and their weights. Knows nothing of data or training."""

from linne.nets.build import create
from linne.nets.catalogue import names

__all__ = ["create", "names"]
