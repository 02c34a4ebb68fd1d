"""How well wrong labels are found: planted flips among photos (their own labels are not all right) and scanned digits.

First the ranking, as average precision: of linne's probabilities by linne's score (one minus the probability of the
label) and by cleanlab's scores, and of the common recipe with cleanlab, a logistic regression in five folds, as
scikit-learn has it and with the penalty that is best for the flips (which nobody knows who has not planted them). Then
what is doubted, and how much noise is estimated; how often its interval holds the truth; and which classes are told to
be one.

Usage: label_doubt.py PHOTOS WEIGHTS [--seeds 5]
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import planting
from harness import Comparison, Table, main

RATES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.5)
SEEDS_OF_COVERAGE = 20
PENALTIES = (1.0, 0.1, 0.01, 0.003, 0.001)
"""Of the logistic regression: scikit-learn's C."""


@dataclass(frozen=True)
class Labelled:
    """Features and labels of images, and their groups; `true` are the labels before the flips, -1 for other things."""

    name: str
    features: np.ndarray
    labels: np.ndarray
    true: np.ndarray
    groups: np.ndarray
    names: tuple[str, ...]

    @property
    def wrong(self) -> np.ndarray:
        return (self.labels != self.true) & (self.true >= 0)

    def flipped(self, seed: int, uniform: float, alike: float = 0.0) -> Labelled:
        """Flip labels as `planting` does."""
        chosen = planting.flips([self.names[label] for label in self.true], np.random.default_rng(seed), uniform, alike)
        labels = self.true.copy()
        for row, name in {**chosen[0], **chosen[1]}.items():
            labels[row] = self.names.index(name)
        title = f"{self.name}, {uniform:.0%} any{f', {alike:.0%} alike' if alike else ''}, seed {seed}"
        return Labelled(title, self.features, labels, self.true, self.groups, self.names)

    def pair(self, seed: int, share: float) -> Labelled:
        """Flip a share of the labels of one class, all to one other."""
        rng = np.random.default_rng(seed)
        one, other = rng.permutation(len(self.names))[:2]
        members = rng.permutation(np.flatnonzero(self.true == one))
        labels = self.true.copy()
        labels[members[: round(share * len(members))]] = other
        title = f"{self.name}, {share:.0%} of one class to one other"
        return Labelled(title, self.features, labels, self.true, self.groups, self.names)


def digits() -> Labelled:
    from sklearn.datasets import load_digits

    loaded = load_digits()
    true = loaded.target.astype(np.int32)
    features = (loaded.data / 16).astype(np.float32)
    return Labelled("digits", features, true, true, np.arange(len(true)), tuple("0123456789"))


def photos(folder: Path, weights: Path) -> tuple[Labelled, Labelled]:
    """Photos with everything that `planting` plants, and these photos as they were."""
    from linne.audit.compared import Known
    from linne.audit.duplicates import find_pairs
    from linne.audit.pairs import duplicate_groups
    from linne.audit.pictures import Pictures
    from linne.embed.embedding import embed
    from linne.records.progress import Silent
    from linne.road.look import gather

    with tempfile.TemporaryDirectory() as place:
        truth = planting.plant(folder, Path(place, "photos"), 0)
        material = gather(Path(place, "photos"), None, weights, None, 0, Silent())
        embedding = embed(material.index, material.backbone, Path(place, "cache"), Silent())
    index, passed = material.index, embedding.passed
    known = Known.nothing(len(index))
    seen = Pictures(
        passed.digest, embedding.hash, embedding.thumb, embedding.detail, embedding.features, passed.readable
    )
    pairs = find_pairs(seen, known, 2, Silent())
    rows = np.flatnonzero(passed.readable)
    paths, number = [index.path(int(row)) for row in rows], {name: i for i, name in enumerate(index.labels)}
    true = np.array(
        [
            number[truth.flipped[path]] if path in truth.flipped else label
            for path, label in zip(paths, index.label[rows], strict=True)
        ]
    )
    copies = {*truth.exact, *truth.near_pairs}
    others = np.isin(paths, truth.off_topic)
    groups = duplicate_groups(pairs, len(index))[rows]
    name = "photos as planted, with copies and other things"
    planted = Labelled(
        name, embedding.features[rows], index.label[rows], np.where(others, -1, true), groups, index.labels
    )
    own = np.flatnonzero([path not in copies for path in paths] & ~others)
    return planted, Labelled(
        "photos",
        planted.features[own],
        true[own].astype(np.int32),
        true[own].astype(np.int32),
        groups[own],
        index.labels,
    )


def judge(data: Labelled):
    """As the audit does."""
    from linne.audit.judged import judge

    every = np.ones(len(data.labels), bool)
    judged = judge(as_index(data.labels, data.names), data.features, every, data.groups, 0)
    assert judged is not None
    return judged


def as_index(labels: np.ndarray, names: tuple[str, ...]):
    import pyarrow as pa

    from linne.records.index import Index

    paths = pa.array([str(row) for row in range(len(labels))], pa.large_string())
    rows = len(labels)
    return Index("/photos", names, paths, labels, np.zeros(rows, np.int8), np.zeros(rows, np.int64))


def doubted(data: Labelled, judged) -> np.ndarray:
    from linne.audit.label_doubt import label_doubt

    mask = np.zeros(len(data.labels), bool)
    mask[[int(finding.path) for finding in label_doubt(as_index(data.labels, data.names), judged)]] = True
    return mask


def as_matrix(judged) -> np.ndarray:
    """A column for each class: none is left out where there are no more than `KEPT`."""
    matrix = np.empty(judged.predicted.top.shape)
    np.put_along_axis(matrix, judged.predicted.top, judged.predicted.probability.astype(float), axis=1)
    return matrix / matrix.sum(axis=1, keepdims=True)


def ranking(sets: list[Labelled]) -> Table:
    from cleanlab.rank import get_label_quality_scores
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score
    from sklearn.model_selection import cross_val_predict

    rows = []
    for data in sets:
        start = time.perf_counter()
        judged = judge(data)
        cells = [round(average_precision_score(data.wrong, 1 - judged.predicted.given), 4)]
        took = time.perf_counter() - start
        for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
            scores = get_label_quality_scores(data.labels, as_matrix(judged), method=method)
            cells.append(round(average_precision_score(data.wrong, -scores), 4))
        recipes = []
        for penalty in PENALTIES:
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it has not converged
                regression = LogisticRegression(C=penalty, max_iter=1000)
                p = cross_val_predict(regression, data.features, data.labels, cv=5, method="predict_proba")
            scores = get_label_quality_scores(data.labels, p, method="self_confidence")
            seconds = time.perf_counter() - start
            recipes.append((round(average_precision_score(data.wrong, -scores), 4), round(seconds, 1)))
        rows.append((data.name, *cells, round(took, 1), *recipes[0], *max(recipes)))
    columns = ("linne", "self-confidence", "margin", "entropy", "s", "recipe, C=1", "s", "recipe, best C", "s")
    return Table("Average precision of the ranking", ("", *columns), tuple(rows))


def decisions(sets: list[Labelled]) -> Table:
    """What is doubted, and the noise in all, beside the truth."""
    from linne.audit.label_noise import label_noise

    rows = []
    for data in sets:
        judged = judge(data)
        mask, noise = doubted(data, judged), label_noise(judged, 0)
        hits = int((mask & data.wrong).sum())
        precision, recall = hits / max(mask.sum(), 1), hits / max(data.wrong.sum(), 1)
        interval = f"{noise.low:.1%} to {noise.high:.1%}"
        shares = (f"{precision:.3f}", f"{recall:.3f}", f"{data.wrong.mean():.1%}", f"{noise.share:.1%}", interval)
        rows.append((data.name, int(mask.sum()), *shares, len(judged.alike)))
    columns = ("doubted", "precision", "recall", "planted", "estimated", "95% interval", "alike classes")
    return Table("What is doubted, and how much noise is estimated", ("", *columns), tuple(rows))


def coverage(base: Labelled, own: float) -> Table:
    """How often the interval holds the planted share, and `own`, the share estimated where nothing is planted."""
    from linne.audit.label_noise import label_noise

    rows = []
    for rate in RATES[1:]:
        found = [label_noise(judge(base.flipped(seed, rate)), 0) for seed in range(SEEDS_OF_COVERAGE)]
        truth = rate + (1 - rate) * own
        held = sum(noise.low <= truth <= noise.high for noise in found)
        mean = float(np.mean([noise.share for noise in found]))
        width = float(np.mean([noise.high - noise.low for noise in found]))
        rows.append((f"{rate:.0%}", f"{truth:.1%}", f"{mean:.1%}", f"{width:.1%}", f"{held} of {len(found)}"))
    title = f"{base.name}: how often the interval holds the truth (of its own labels {own:.1%} look wrong)"
    return Table(title, ("planted", "truth", "estimated, mean", "interval, wide", "held"), tuple(rows))


def halves(base: Labelled) -> Table:
    """Each class is cut in two by chance: is that pair told, and any other?"""
    rows = []
    for rate in (0.0, 0.2, 0.5):
        told = others = 0
        for label in range(len(base.names)):
            labels = base.flipped(label, rate).labels.copy()
            members = np.flatnonzero(labels == label)
            labels[np.random.default_rng(label).permutation(members)[: len(members) // 2]] = len(base.names)
            cut = Labelled("", base.features, labels, base.true, base.groups, (*base.names, "half"))
            alike = {frozenset(pair) for pair in judge(cut).alike}
            told += frozenset({label, len(base.names)}) in alike
            others += len(alike - {frozenset({label, len(base.names)})})
        rows.append((f"{rate:.0%}", f"{told} of {len(base.names)}", others))
    return Table(f"{base.name}: a class cut in two by chance", ("flipped", "told", "other pairs told"), tuple(rows))


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    from linne.audit.label_noise import label_noise

    scans = digits()
    planted, own = photos(given.photos, given.weights)
    mixed = [own.flipped(seed, 0.1, 0.1) for seed in range(1, given.seeds + 1)]
    yield ranking([planted, *mixed, own.flipped(0, 0.05), own.flipped(0, 0, 0.1), scans.flipped(0, 0.1)])
    uniform = [base.flipped(0, rate) for base in (own, scans) for rate in RATES]
    yield decisions([planted, mixed[0], own.flipped(0, 0, 0.1), *uniform, scans.pair(0, 0.2)])
    for base in (scans, own):
        yield coverage(base, label_noise(judge(base), 0).share)
    for base in (scans, own):
        yield halves(base)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path}),
            ("weights", {"type": Path}),
            ("--seeds", {"type": int, "default": 5, "help": "of flips of both kinds"}),
        ],
    )
