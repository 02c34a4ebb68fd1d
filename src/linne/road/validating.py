"""What an epoch is validated on: stored activations, or files; each image once, whatever the number of processes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from linne.fit.judge import Predict, Validate
from linne.fit.prepared import prepared_batches
from linne.fit.processes import ALONE, Processes
from linne.records.errors import DataError
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec

VALIDATION_BATCH = 64


def on_arrays(values: NDArray[np.float16], places: NDArray[np.int64], processes: Processes = ALONE) -> Validate:
    """Validate on stored activations ``(n, c, h, w)`` of the images at `places`, which are this process's."""
    in_step = _in_step(len(places), values.shape[1:], processes)

    def validate(predict: Predict) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        starts = range(0, len(values), VALIDATION_BATCH)
        batches = (torch.from_numpy(values[i : i + VALIDATION_BATCH]).float() for i in starts)
        logits = [predict(batch).numpy() for batch in batches]
        in_step(predict, len(logits))
        return _all_of(logits, [places], processes)

    return validate


def on_files(
    index: Index,
    rows: NDArray[np.int64],
    digest: NDArray[np.uint8],
    pixels: PixelSpec,
    failed: dict[int, str],
    processes: Processes = ALONE,
) -> Validate:
    """Validate on the files of some rows; `failed` takes those that cannot be read any more, and why."""
    own = processes.part(np.arange(len(rows)))
    in_step = _in_step(len(own), (pixels.channels, pixels.height, pixels.width), processes)

    def validate(predict: Predict) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        logits, seen = [], []
        there = own[~np.isin(rows[own], list(failed))]  # what has failed once stays out
        for places, inputs in prepared_batches(index, rows[there], digest, pixels, VALIDATION_BATCH, failed):
            logits.append(predict(torch.from_numpy(inputs)).numpy())
            seen.append(there[places])
        in_step(predict, len(logits))
        everything, everyone = _all_of(logits, seen, processes)
        if not len(everyone):
            raise DataError(
                "no validation image can be read any more",
                value=next(iter(failed.values()), None),
                remedy="put the images back where they were",
            )
        return everything, everyone

    return validate


def _in_step(images: int, shape: tuple[int, ...], processes: Processes) -> Callable[[Predict, int], None]:
    """Where all processes must compute at once, let one that has done fewer batches than others compute blanks."""
    batches = 0
    if processes.shard:
        largest = -(-int(processes.sums([images])[0]) // processes.world)
        batches = -(-largest // VALIDATION_BATCH)

    def catch_up(predict: Predict, done: int) -> None:
        for _ in range(done, batches):
            predict(torch.zeros(1, *shape))

    return catch_up


def _all_of(
    logits: list[NDArray[np.float32]], seen: list[NDArray[np.int64]], processes: Processes
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What all processes have seen, in the order of images, since each has a piece of them."""
    scores = b"".join(processes.gather(b"".join(part.tobytes() for part in logits)))
    places = np.frombuffer(b"".join(processes.gather(b"".join(part.tobytes() for part in seen))), np.int64)
    return np.frombuffer(scores, np.float32).reshape(max(len(places), 1), -1)[: len(places)], places
