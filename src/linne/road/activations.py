"""What enters the first trained stage: stored for the images as they are, and made anew for other views of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore

import numpy as np
import torch
from numpy.typing import NDArray

from linne.embed.backbone import Backbone
from linne.embed.embedding import activations
from linne.embed.measure import Pick, callers_pool
from linne.embed.one_pass import waiting_images
from linne.fit.augment import get_ready, random_view
from linne.fit.decoded import Pictures
from linne.fit.draw import rng_of
from linne.fit.inputs import Normaliser
from linne.fit.policy import Policy
from linne.pixels.prepare import prepare
from linne.records.content import read_as_indexed
from linne.records.errors import ImageError
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress
from linne.runtime.cores import available_cores

Activations = NDArray[np.float16]

VIEWS_FROM = 1 << 20
"""Epochs from this on draw the views of stored activations: no others do."""


def views_of(
    backbone: Backbone,
    stage: int,
    index: Index,
    rows: NDArray[np.int64],
    digest: NDArray[np.uint8],
    policy: Policy,
    views: int,
    backend: Pick | None,
    seed: int,
    store: Path,
    progress: Progress,
    failed: dict[int, str],
    late: Callable[[], bool] = lambda: False,
) -> list[Activations]:
    """Give what enters `stage` for some views of each image.

    Parameters
    ----------
    backbone : Backbone
    stage : int
    index : Index
    rows : (n,) int64 array
    digest : (m, 16) uint8 array
        Of each file of the index.
    policy : Policy
    views : int
        The first is the image as validation sees it, which is stored; the second its mirror image, where that keeps
        the label; the others are random.
    backend : Pick or None
        Of the network's features and what enters `stage`; needed for more than one view.
    seed : int
    store : Path
    progress : Progress
    failed : dict of int to str
        Takes rows that cannot be read any more, or were changed, and why.
    late : callable
        Whether no more are to be made: the views that are there are given then.

    Returns
    -------
    list of (n, c, h, w) float16 array
        One a view. An image that cannot be read any more has its first view in all.
    """
    plain = activations(backbone, stage, digest[rows], store)
    made = [plain]
    maker = _Maker(index, digest, backbone.pixels, policy, seed, failed)
    for view in range(1, views):
        assert backend is not None  # noqa: S101 - the first process, which makes views, has it
        progress.start(f"view {view + 1}", len(rows), "images")
        try:
            found = _pass(maker, view, rows, plain, backend, progress, late)
        finally:
            progress.finish()
        if found is None:
            progress.say(f"no more views of each image are made: {view} of {views} are there")
            break
        made.append(found)
    return made


def _pass(
    maker: _Maker,
    view: int,
    rows: NDArray[np.int64],
    plain: Activations,
    backend: Pick,
    progress: Progress,
    late: Callable[[], bool],
) -> Activations | None:
    """Run the network over one view of each image; None where it is too late for that.

    All cores make batches, and as many threads as the way says run the network.
    """
    size, callers, out = backend.way.batch, backend.way.callers, plain.copy()
    turn = Semaphore(callers)
    backend.run  # noqa: B018 - made ready here, not by several threads at once

    def run(start: int) -> int:
        batch, made = maker.batch(rows[start : start + size], view, size)
        found = np.flatnonzero(made)
        with turn:
            outputs = backend.run(batch)[1]
        out[start + found] = outputs[found].astype(np.float16)
        return start + len(made)

    pool: ThreadPoolExecutor
    makers = min(available_cores(), waiting_images(maker.spec) // size)  # each holds a batch
    with callers_pool(callers, max(callers, makers)) as pool:
        for done in pool.map(run, range(0, len(rows), size)):
            if late():
                return None
            progress.update(done)
    return out


class _Maker:
    """Makes batches of a view."""

    def __init__(
        self,
        index: Index,
        digest: NDArray[np.uint8],
        spec: PixelSpec,
        policy: Policy,
        seed: int,
        failed: dict[int, str],
    ) -> None:
        get_ready(spec, policy)
        self._index, self._digest, self.spec, self._policy, self._seed = index, digest, spec, policy, seed
        self._pictures = Pictures(index, spec.channels, None, digest)
        self._normalised = Normaliser(spec, torch.device("cpu"))
        self._failed = failed

    def batch(self, rows: NDArray[np.int64], view: int, size: int) -> tuple[NDArray[np.float32], list[bool]]:
        """``(size, channels, height, width)``, and which of the rows could be made."""
        spec = self.spec
        batch = np.zeros((size, spec.channels, spec.height, spec.width), np.float32)
        made = []
        for place, row in enumerate(rows.tolist()):
            try:
                batch[place] = self._mirrored(row) if view == 1 and self._policy.flip else self._random(row, view)
                made.append(True)
            except ImageError as error:
                self._failed[row] = str(error)
                made.append(False)
        return batch, made

    def _mirrored(self, row: int) -> NDArray[np.float32]:
        content = self._index.content(row)
        return prepare(read_as_indexed(content, self._digest[row].tobytes()), self.spec, content.name)[:, :, ::-1]

    def _random(self, row: int, view: int) -> NDArray[np.float32]:
        spec = self.spec
        out = torch.empty(1, spec.height, spec.width, spec.channels, dtype=torch.uint8).permute(0, 3, 1, 2)
        random_view(self._pictures.of(row), spec, self._policy, rng_of(self._seed, VIEWS_FROM + view, row), out)
        inputs: NDArray[np.float32] = self._normalised(out)[0].numpy()
        return inputs
