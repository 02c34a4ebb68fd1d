"""What the kept weights of a run know, image by image, and intervals of that; see `peers.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from peer_runs import Asked, Kept, judge

DRAWS = 4000


def right(peer: str, recipe: str, asked: Asked, subset: str, kept: Sequence[Kept]) -> list[str]:
    """Of each kept file a string of 1 (right) and 0, an image each, by path."""
    paths = sorted((asked.photos / subset).glob("*/*"))
    classes = sorted(folder.name for folder in (asked.photos / "train").iterdir())
    answers = torch.tensor([classes.index(path.parent.name) for path in paths])
    network, load, batches = judge(peer, recipe, asked, paths)
    images = [batch.contiguous(memory_format=torch.channels_last) for batch in batches]  # read once for all epochs
    network.to(memory_format=torch.channels_last).eval()
    scores = []
    for each in kept:
        load(each.file)
        with torch.inference_mode():
            said = torch.cat([network(batch).argmax(1) for batch in images])
        scores.append("".join(str(int(same)) for same in said == answers))
    return scores


def over_images(scores: Sequence[str]) -> tuple[float, float]:
    """95% bootstrap interval of the mean accuracy of some seeds, had the images been others."""
    means = _marks(scores).mean(axis=0)
    drawn = np.random.default_rng(0).integers(len(means), size=(DRAWS, len(means)))
    low, high = np.quantile(means[drawn].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def over_seeds(scores: Sequence[str]) -> tuple[float, float]:
    """95% interval of the mean accuracy, had the seeds been others (Student's t); not a number for one seed."""
    from scipy.stats import t

    each = _marks(scores).mean(axis=1)
    if len(each) == 1:
        return math.nan, math.nan
    half = float(t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each)))
    return float(each.mean()) - half, float(each.mean()) + half


def _marks(scores: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[int(mark) for mark in score] for score in scores], np.float64)
