"""Training pictures that lie in an accelerator's memory, once they are decoded: batches are cut there."""

from __future__ import annotations

import os
import time
from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from linne.fit.draw import draw, rng_of
from linne.fit.policy import Policy, is_small
from linne.fit.sources import AugmentedImages, Batch, label_tensor
from linne.fit.views import cut_views
from linne.records.errors import ImageError
from linne.records.pixel_spec import PixelSpec

SHARE = 0.5
"""Of the memory that is free once an epoch has been trained: the rest is for what varies."""


def can_be_cut_at_once(spec: PixelSpec, policy: Policy) -> bool:
    """Whether views can be made by operations on whole batches: those of photos, by the light policy."""
    return not is_small(spec) and policy.automatic is None and not policy.erase and not policy.still


class ResidentImages:
    """A `Source` that takes its batches from another one, and from the device's memory once all pictures are there.

    They go there after the first epoch of the level, if they are in the pixel cache then, and fit: a cache that an
    earlier run has filled changes nothing, nor does it where a run goes on in a later epoch. Views are the same but for
    rounding; labels and order are the same.

    Parameters
    ----------
    host : AugmentedImages
        Of views that `can_be_cut_at_once`.
    device : torch.device
    """

    def __init__(self, host: AugmentedImages, device: torch.device) -> None:
        self.host, self.device = host, device
        self.images, self.batch_size, self.failed = host.images, host.batch_size, host.failed
        self._waited = 0.0
        self._pictures: dict[int, Tensor] = {}

    @property
    def waited(self) -> float:
        """Seconds that were spent waiting for batches, all epochs together."""
        return self.host.waited + self._waited

    @property
    def resident(self) -> bool:
        """Whether the pictures lie on the device."""
        return bool(self._pictures)

    def epoch(self, epoch: int, first: int = 0) -> Generator[Batch, None, None]:
        """Give batches of random views: uint8, channels last."""
        began = time.perf_counter()
        if epoch > self.host.growth.first and not self.resident:
            self._settle()
        self._waited += time.perf_counter() - began
        if not self.resident:
            yield from self.host.epoch(epoch, first)
            return
        for places, turns in self.host.order.batches_and_turns(epoch)[first:]:
            began = time.perf_counter()
            asked = zip(self.host.rows[places].tolist(), turns.tolist(), strict=True)
            drawn = [(row, turn) for row, turn in asked if row in self._pictures]
            labels = label_tensor(self.host.label[[row for row, _ in drawn]])
            views = self._views(drawn, epoch)
            self._waited += time.perf_counter() - began
            yield views, labels.to(self.device)

    def _views(self, drawn: list[tuple[int, int]], epoch: int) -> Tensor:
        spec, policy, seed = self.host.growth.at(epoch), self.host.policy, self.host.order.seed
        if not drawn:
            return torch.empty(0, spec.channels, spec.height, spec.width, dtype=torch.uint8, device=self.device)
        pictures = [self._pictures[row] for row, _ in drawn]
        draws = [
            draw(picture.shape[1], picture.shape[0], spec, policy, rng_of(seed, epoch, row, turn))
            for (row, turn), picture in zip(drawn, pictures, strict=True)
        ]
        return cut_views(pictures, draws, spec.height, spec.width)

    def _settle(self) -> None:
        """Bring the pictures to the device, if they are decoded, all but less than a batch, and fit there."""
        rows = np.array([row for row in self.host.rows.tolist() if row not in self.failed], np.int64)
        pictures = self.host.pictures
        if pictures.uncached(rows) >= self.batch_size or pictures.cached_bytes(rows) > self._room():
            return
        found: dict[int, NDArray[np.uint8]] = {}
        for row in rows.tolist():
            try:
                found[row] = pictures.of(row).pixels()
            except ImageError as error:
                self.failed[row] = str(error)
        sizes = [picture.size for picture in found.values()]
        if sum(sizes) > self._room():
            return
        # One piece of memory: as many small ones would be rounded up.
        places = torch.split(torch.empty(sum(sizes), dtype=torch.uint8, device=self.device), sizes)
        for place, picture in zip(places, found.values(), strict=True):
            place.copy_(torch.from_numpy(picture).flatten())
        self._pictures = {
            row: place.view(picture.shape) for place, (row, picture) in zip(places, found.items(), strict=True)
        }

    def _room(self) -> int:
        """Bytes that the pictures may take."""
        if self.device.type == "cuda":
            return int(SHARE * torch.cuda.mem_get_info(self.device)[0])
        return int(SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
