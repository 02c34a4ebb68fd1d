"""A trial of the one pass, on a few images: how slow it is with all else that the machine has to do."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from linne.embed.backends import device
from linne.embed.embedding import embed, stored_shares
from linne.embed.measure import Pick
from linne.records.progress import Silent
from linne.road.look import Material
from linne.road.outlook import pass_seconds
from linne.runtime.session import available_cores

TRIED = 96
"""Images, or more where more batches run at once: half a second on a laptop. They are in the store then."""

SHARE = 0.1
"""Of the images: a trial of more is no trial."""

NOTICEABLE = 1.2
"""Below this it is no more than estimates are wrong by."""


def tried(material: Material, backend: Pick | None, store: Path) -> Material:
    """Give the material with the slowness that a trial shows; as it is where there is little to embed.

    The speed of single steps is that of moments in which nothing else ran: where other programs run, the pass takes two
    or three times as long as these tell. What follows it does so where its threads, which have something to do all the
    time, get no more than a part of the cores.
    """
    if material.backbone is None or backend is None:
        return material
    images = max(TRIED, 2 * backend.way.callers * backend.way.batch)
    stored = stored_shares(material.backbone, material.sample.digests, store)[1]
    if stored > 0 or images > SHARE * len(material.index):
        return material
    backend.run  # noqa: B018 - made ready, which is no part of the pass
    few = material.index.take(np.linspace(0, len(material.index) - 1, images).astype(np.int64))
    began, used = time.perf_counter(), time.process_time()
    found = embed(few, material.backbone, store, Silent(), None, backend)
    took, used = time.perf_counter() - began, time.process_time() - used
    of_the_pass = took / max(found.passed.computed, 1) / pass_seconds(material, backend.rate)
    of_the_rest = available_cores() * took / used if device().type == "cpu" else of_the_pass
    return replace(material, pass_slowness=_noticed(of_the_pass), slowness=_noticed(of_the_rest))


def _noticed(slowness: float) -> float:
    return slowness if slowness > NOTICEABLE else 1.0
