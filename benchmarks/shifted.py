"""Small pictures that lie in an accelerator's memory from the start: views are shifted and mirrored, a batch at once.

What small photos of things are varied by when they are trained from scratch (He et al. 2015, section 4.2). Each picture
is mirrored in every other epoch, instead of by the toss of a coin in each, so that two epochs show all that there is
(Jordan 2024, arXiv 2404.00498, section 3.6).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from linne.fit.decoded import Pictures
from linne.fit.sampling import shuffled
from linne.fit.sources import Batch, view_threads
from linne.pixels.geometry import fit_to
from linne.pixels.shrunk import shrink_for
from linne.records.errors import ImageError
from linne.records.pixel_spec import PixelSpec

SHIFT = 2
"""Pixels, for sides of 32: Jordan's; others in proportion."""

_COINS, _SHIFTS = 1, 2
"""Streams of random numbers beside the order's."""


def small_pictures(
    pictures: Pictures, rows: NDArray[np.int64], spec: PixelSpec, failed: dict[int, str]
) -> NDArray[np.uint8]:
    """Decode rows of an index to what the network sees of them, not yet normalised, in threads.

    Parameters
    ----------
    pictures : Pictures
    rows : (n,) int64 array
    spec : PixelSpec
    failed : dict of int to str
        Takes rows that cannot be read or decoded, and why; their pictures are zeros.

    Returns
    -------
    (n, height, width, channels) uint8 array
    """
    found = np.zeros((len(rows), spec.height, spec.width, spec.channels), np.uint8)

    def decode(place: int) -> None:
        row = int(rows[place])
        try:
            picture = pictures.of(row)
            shrink = shrink_for((picture.width, picture.height), (2 * spec.width, 2 * spec.height))
            whole = picture.pixels(shrink)
        except ImageError as error:
            failed[row] = str(error)
            return
        fitted = fit_to(Image.fromarray(whole if spec.channels == 3 else whole[:, :, 0]), spec)
        found[place] = np.asarray(fitted).reshape(found.shape[1:])

    with ThreadPoolExecutor(view_threads(decoding=True), "decode") as pool:
        for _ in pool.map(decode, range(len(rows)), chunksize=64):
            pass
    return found


class ShiftedImages:
    """A `Source` of small pictures on a device.

    What is drawn for a picture depends on (seed, epoch, its place) alone, neither on the order nor on the batch.

    Parameters
    ----------
    pictures : (n, height, width, channels) uint8 Tensor
        On the device.
    labels : (n,) int64 Tensor
        On the device.
    flip : bool
        Mirror each picture in every other epoch, one half of them in the first.
    batch_size, seed : int
    shift : int, optional
        Pixels by which a view is shifted at most, each way; what comes in from outside is mirrored. By default `SHIFT`
        for each 32 pixels of the shorter side.
    """

    def __init__(
        self,
        pictures: Tensor,
        labels: Tensor,
        flip: bool,
        batch_size: int,
        seed: int,
        shift: int | None = None,
    ) -> None:
        self.images, self.batch_size, self.seed = len(labels), min(batch_size, len(labels)), seed
        self.flip, self.device = flip, pictures.device
        self.shift = SHIFT * min(pictures.shape[1:3]) // 32 if shift is None else shift
        self.failed: dict[int, str] = {}
        self.waited = 0.0
        self._bordered = with_border(pictures, self.shift)
        self._labels = labels
        self._coins = np.random.default_rng((seed, _COINS)).random(self.images) < 0.5

    def drawn(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Give where each picture's view begins, ``(n, 2)``, down and across, and which views are mirrored."""
        begins = np.random.default_rng((self.seed, epoch, _SHIFTS)).integers(0, 2 * self.shift + 1, (self.images, 2))
        mirrored = self._coins ^ bool(epoch % 2) if self.flip else np.zeros(self.images, np.bool_)
        return begins, mirrored

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Give batches of views: uint8, channels last, on the device."""
        began = time.perf_counter()
        begins, mirrored = self.drawn(epoch)
        places = shuffled(self.images, self.batch_size, self.seed, epoch)
        order = np.concatenate(places)
        # One transfer an epoch: a column each for the picture, down, across and mirrored.
        table = np.column_stack([order, begins[order], mirrored[order]])
        drawn = torch.from_numpy(table)
        if self.device.type == "cuda":  # else the host would wait until the device is done with what came before
            drawn = drawn.pin_memory()
        drawn = drawn.to(self.device, non_blocking=True)
        labels = self._labels[drawn[:, 0]]
        self.waited += time.perf_counter() - began
        for at in range(0, len(order), self.batch_size):
            rows, down, across, flip = drawn[at : at + self.batch_size].T
            yield (
                shifted_views(self._bordered, rows, down, across, flip.bool(), self.shift),
                labels[at : at + self.batch_size],
            )


def shifted_views(bordered: Tensor, rows: Tensor, down: Tensor, across: Tensor, flip: Tensor, border: int) -> Tensor:
    """Cut views of the pictures' own size, each somewhere else in its bordered picture.

    One look-up does for a batch: an index for each row of pixels, and one for each column, backwards where it is
    mirrored.

    Parameters
    ----------
    bordered : (n, height + 2 border, width + 2 border, channels) Tensor
        Pictures with pixels around them, as `with_border` gives them.
    rows : (batch,) int64 Tensor
        Which pictures, on their device, as all that follows.
    down, across : (batch,) int64 Tensor
        Where each view begins, in [0, 2 border]; `border` leaves it where it was.
    flip : (batch,) bool Tensor
        Mirror left and right.
    border : int

    Returns
    -------
    (batch, channels, height, width) Tensor, channels last
        Of the pictures' dtype.
    """
    height, width = (side - 2 * border for side in bordered.shape[1:3])
    y = torch.arange(height, device=bordered.device) + down[:, None]
    x = torch.arange(width, device=bordered.device)
    x = torch.where(flip[:, None], width - 1 - x, x) + across[:, None]
    return bordered[rows[:, None, None], y[:, :, None], x[:, None, :]].permute(0, 3, 1, 2)


def with_border(pictures: Tensor, border: int) -> Tensor:
    """Mirror what lies at the edges of ``(n, height, width, channels)`` pictures outwards, by `border` pixels."""
    height, width = pictures.shape[1:3]
    y, x = (_mirrored(side, border, pictures.device) for side in (height, width))
    return pictures[:, y][:, :, x]


def _mirrored(side: int, border: int, device: torch.device) -> Tensor:
    """Give positions -border to side + border - 1, those outside mirrored at the outermost pixels."""
    places = torch.arange(-border, side + border, device=device).abs()
    return torch.where(places < side, places, 2 * (side - 1) - places).clamp(min=0)
