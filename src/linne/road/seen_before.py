"""Did what a run starts from, or learns from, train on images that this run tests on?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linne.records.errors import RunError
from linne.records.fingerprint import sortable
from linne.records.index import TRAIN, VALIDATION
from linne.records.run import Run
from linne.records.split import Split


def seen_before(weights: str | None, teacher: Path | None, tested: NDArray[np.uint8]) -> tuple[str, ...]:
    """Say what has been trained, or chosen, by images that are tested on now.

    Parameters
    ----------
    weights : str or None
        File of the weights that the run starts from; of those in a run's own folder it is known.
    teacher : Path or None
        Folder of the run that teaches.
    tested : (n, 16) uint8 array
        Digests of this run's test images.
    """
    told = []
    start = Path(weights).parent.parent if weights is not None and Path(weights).is_file() else None
    for what, folder in (("the weights", start), ("the teacher", teacher)):
        seen = 0 if folder is None else _seen_by(Run(folder), tested)
        if seen:
            told.append(
                f"{seen} of {len(tested)} test images have trained {what}, or chosen its best epoch: "
                "the test will flatter; the same photos and --seed in both runs keep them apart"
            )
    return tuple(told)


def _seen_by(run: Run, tested: NDArray[np.uint8]) -> int:
    if not run.split.is_file():
        return 0
    try:
        subset, digests = Split.read(run.split).subset, Split.read_digests(run.split)
    except RunError:  # damaged, or no split: of those weights nothing is known
        return 0
    learnt = digests[(subset == TRAIN) | (subset == VALIDATION)]
    return int(np.isin(sortable(tested), sortable(learnt)).sum())
