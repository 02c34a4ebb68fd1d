"""A network as the pass sees it: frozen, with the name that its results are kept under."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from torch import Tensor, nn

from linne.records.fingerprint import DIGEST_BYTES, of_settings
from linne.records.pixel_spec import PixelSpec


@dataclass(frozen=True)
class Backbone:
    """A pretrained network and its preprocessing.

    Attributes
    ----------
    network : torch.nn.Module
        Keeps `linne.nets.contract.Network`; in evaluation mode.
    pixels : PixelSpec
    weights : str
        Digest of every weight.
    """

    network: nn.Module
    pixels: PixelSpec
    weights: str

    def shelf(self, layer: str) -> str:
        """Folder name for one layer's results."""
        return of_settings([self.weights, self.pixels.fingerprint, layer])


def backbone(network: nn.Module, pixels: PixelSpec) -> Backbone:
    """Name a network by its weights."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for key, value in sorted(network.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return Backbone(network.eval(), pixels, digest.hexdigest())


class Features(nn.Module):
    """Images to the vector before the classifier, and to what enters stage `stage` where that is asked for."""

    def __init__(self, network: nn.Module, stage: int | None = None) -> None:
        super().__init__()
        self.network = network
        self.stage = stage

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """``(batch, channels, height, width)`` to ``(batch, features)``, and activations ``(batch, c, h, w)``."""
        activations = images
        x = images
        for i, stage in enumerate(self.network.stages()):  # type: ignore[operator]
            if i == self.stage:
                activations = x
            x = stage(x)
        pooled: Tensor = self.network.forward_head(x, pre_logits=True)  # type: ignore[operator]
        return (pooled,) if self.stage is None else (pooled, activations)
