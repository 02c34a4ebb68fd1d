"""An index seen through a network, or through thumbnails where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linne.embed.backbone import Backbone, Features
from linne.embed.layer import POOLED
from linne.embed.look import LOOKS_SHELF
from linne.embed.measure import Pick, pick_backend
from linne.embed.one_pass import Passed, one_pass
from linne.embed.store import Shelf
from linne.pixels.facts import RECORD, Facts
from linne.pixels.perceptual import DETAIL_SIDE, THUMB_SIDE
from linne.records.index import Index
from linne.records.progress import Progress


@dataclass(frozen=True)
class Embedding:
    """What the one pass knows of each image of an index; rows of unreadable images are zero.

    Attributes
    ----------
    features : (n, d) float32 array
        The network's vector before its classifier; without a network the gray 16 x 16 thumbnail in [0, 1].
    shelf : str
        Name of the network, its weights and pixels that `features` come from; empty without a network.
    thumb : (n, 16, 16) uint8 array
    detail : (n, 32, 32) uint8 array
    hash : (n,) uint64 array
        Perceptual hash.
    facts : Facts
        Size, mode, brightness, sharpness, ...
    passed : Passed
    backend : Pick or None
    """

    features: NDArray[np.float32]
    shelf: str
    thumb: NDArray[np.uint8]
    detail: NDArray[np.uint8]
    hash: NDArray[np.uint64]
    facts: Facts
    passed: Passed
    backend: Pick | None

    @property
    def network(self) -> bool:
        """Whether `features` come from a network."""
        return bool(self.shelf)


def stage_layer(stage: int) -> str:
    """Name of the layer that enters a stage."""
    return f"stage {stage}"


def pick(
    backbone: Backbone,
    images: int,
    cache: Path,
    stage: int | None = None,
    sample: NDArray[np.float32] | None = None,
    left: float | None = None,
) -> Pick:
    """Choose the way to run a backbone, and what it gives: features, and what enters `stage`.

    One measurement holds for all stages: a second output costs next to nothing. For `sample` and `left` see
    `pick_backend`.
    """
    module = Features(backbone.network, stage)
    return pick_backend(module, backbone.pixels, backbone.shelf(POOLED), images, cache / "backends.json", sample, left)


def stored_shares(
    backbone: Backbone | None, digests: Sequence[bytes], cache: Path, stage: int | None = None
) -> tuple[float, float]:
    """Shares of `digests`, in [0, 1], whose looks, and whose outputs of the network, a pass would find in the store.

    They differ after `linne embed`, which looks at nothing. Without a network nothing of it is missing.
    """
    looks, *layers = _shelves(backbone, cache, stage)
    looked_at = sum(digest in looks for digest in digests)
    embedded = sum(all(digest in shelf for shelf in layers) for digest in digests)
    return looked_at / max(len(digests), 1), embedded / max(len(digests), 1)


def embed(
    index: Index,
    backbone: Backbone | None,
    cache: Path,
    progress: Progress,
    stage: int | None = None,
    backend: Pick | None = None,
) -> Embedding:
    """Pass over an index; what the store holds already is not computed again.

    Parameters
    ----------
    index : Index
    backbone : Backbone, optional
        Without it, images are only decoded, hashed and shrunk.
    cache : Path
        Folder of the store.
    progress : Progress
    stage : int, optional
        Also keep what enters this stage of the network.
    backend : Pick, optional
        By default the fastest one is found out.

    Raises
    ------
    WriteError
        The store could not be written.
    """
    facts, *layers = _shelves(backbone, cache, stage)
    if backbone is not None:
        backend = backend or pick(backbone, len(index), cache, stage)
    spec = backbone.pixels if backbone else None
    passed = one_pass(index, facts, layers, spec, backend, progress)

    readable = passed.readable
    keys = passed.digest[readable]
    known = facts.gather(keys, ("thumb", "detail", "hash", "facts"))

    def column(name: str, shape: tuple[int, ...], dtype: type | np.dtype[Any]) -> NDArray[Any]:
        full: NDArray[Any] = np.zeros((len(index), *shape), dtype)
        if len(keys):
            full[readable] = known[name]
        return full

    thumb = column("thumb", (THUMB_SIDE, THUMB_SIDE), np.uint8)
    if backbone is None:
        features: NDArray[np.float32] = (thumb.reshape(len(index), -1) / 255).astype(np.float32)
    elif len(index) and readable.all():
        features = layers[0].gather(keys)["values"]  # not a second copy of what may be gigabytes
    else:
        features = np.zeros((len(index), int(backbone.network.feature_size)), np.float32)  # type: ignore[arg-type]
        if len(keys):
            features[readable] = layers[0].gather(keys)["values"]
    return Embedding(
        features=features,
        shelf="" if backbone is None else backbone.shelf(POOLED),
        thumb=thumb,
        detail=column("detail", (DETAIL_SIDE, DETAIL_SIDE), np.uint8),
        hash=column("hash", (), np.uint64),
        facts=Facts.of(column("facts", (), RECORD)),
        passed=passed,
        backend=backend,
    )


def _shelves(backbone: Backbone | None, cache: Path, stage: int | None) -> list[Shelf]:
    """Where looks, features and the inputs of a stage are kept."""
    layers = [] if backbone is None else [POOLED] if stage is None else [POOLED, stage_layer(stage)]
    return [Shelf(cache / LOOKS_SHELF), *(shelf_of(backbone, layer, cache) for layer in layers if backbone)]


def shelf_of(backbone: Backbone, layer: str, cache: Path) -> Shelf:
    """Where a layer's results are kept."""
    return Shelf(cache / "features" / backbone.shelf(layer))


def activations(backbone: Backbone, stage: int, digest: NDArray[np.uint8], cache: Path) -> NDArray[np.float16]:
    """Read what enters a stage for digests ``(n, 16)``: ``(n, c, h, w)``; `KeyError` where one is not stored."""
    shelf = shelf_of(backbone, stage_layer(stage), cache)
    values: NDArray[np.float16] = shelf.gather(digest)["values"]
    return values
