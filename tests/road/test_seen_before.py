"""Is it told where images that are tested on have trained what a run starts from?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from linne.records.index import TEST, TRAIN, VALIDATION, Index
from linne.records.run import Run
from linne.records.split import Split
from linne.road.seen_before import seen_before


def test_those_that_trained_or_chose_are_counted(walked: Path, tmp_path: Path) -> None:
    run = Run(walked)
    split, digests = Split.read(run.split), Split.read_digests(run.split)
    assert len(Index.read(run.index)) == len(digests)
    weights = str(run.checkpoint)
    tested = digests[split.rows(TEST)]
    assert seen_before(weights, walked, tested) == ()
    mixed = np.concatenate([tested, digests[split.rows(TRAIN)[:3]], digests[split.rows(VALIDATION)[:2]]])
    of_weights, of_teacher = seen_before(weights, walked, mixed)
    assert of_weights.startswith(f"5 of {len(mixed)} ")
    assert of_teacher.startswith(f"5 of {len(mixed)} ")
    assert seen_before(str(tmp_path / "a" / "w.safetensors"), None, mixed) == ()
    assert seen_before(None, None, mixed) == ()
