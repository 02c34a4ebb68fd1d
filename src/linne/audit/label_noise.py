"""How many labels are wrong in all, and between which classes?

The confident joint (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR
2021, section 3.1), with intervals by a bootstrap over groups of images (Poisson weights: Chamandy and others,
"Estimating Uncertainty for Massive Data Streams", Google 2012).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.confident_learning import UNSURE
from linne.audit.judged import Judged
from linne.records.label_noise import LabelNoise, NoisyPair

DRAWS = 1000
MOST_PAIRS = 10

NONE_SEEN = -np.log(0.025)
"""Upper end of the interval, in groups, where no wrong label is seen: the rule of three, two-sided."""

Array = NDArray[np.float64]


def label_noise(judged: Judged, seed: int) -> LabelNoise:
    """Estimate the share of wrong labels, and the pairs of classes with most of them."""
    classes = len(judged.names)
    codes = judged.labels.astype(np.int64) * (classes + 1) + np.where(
        judged.confident == UNSURE, classes, judged.confident
    )
    cells, cell = np.unique(codes, return_inverse=True)
    given, likely = np.divmod(cells, classes + 1)
    sure = likely != classes
    wrong = np.flatnonzero(sure & (likely != given))

    def estimate(counts: NDArray[np.int64] | Array) -> Array:
        """Images of each wrong cell: the share of the class's confident images, times the images of the class."""
        of_class = np.bincount(given, counts, classes)
        confident = np.bincount(given[sure], counts[sure], classes)
        share: Array = counts[wrong] / np.maximum(confident[given[wrong]], 1)
        return share * of_class[given[wrong]]

    _, group, sizes = np.unique(judged.groups, return_inverse=True, return_counts=True)
    alone = sizes[group] == 1
    singles = np.bincount(cell[alone], minlength=len(cells))
    together, groups = cell[~alone], np.unique(group[~alone], return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    shares = np.empty(DRAWS)
    expected = estimate(np.bincount(cell, minlength=len(cells)))
    most = np.argsort(-expected, kind="stable")[:MOST_PAIRS]
    drawn = np.empty((DRAWS, len(most)))
    for i in range(DRAWS):
        weights = rng.poisson(1.0, int(groups.max(initial=-1)) + 1)[groups]
        counts = rng.poisson(singles) + np.bincount(together, weights, len(cells))
        found = estimate(counts)
        shares[i], drawn[i] = found.sum() / max(counts.sum(), 1), found[most]

    low, high = np.quantile(shares, (0.025, 0.975))
    lows, highs = np.quantile(drawn, (0.025, 0.975), axis=0)
    pairs = [
        NoisyPair(judged.names[given[w]], judged.names[likely[w]], *map(float, numbers))
        for w, *numbers in zip(wrong[most], expected[most], lows, highs, strict=True)
    ]
    if not len(wrong):
        high = min(NONE_SEEN / len(sizes), 1.0)
    return LabelNoise(len(cell), float(expected.sum() / len(cell)), float(low), float(high), tuple(pairs))
