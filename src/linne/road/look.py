"""From a folder to what is known of its images: index, network, the one pass, the audit."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linne.audit.alike_classes import alike_classes
from linne.audit.balance import balance
from linne.audit.compared import Known
from linne.audit.duplicates import duplicates, find_pairs
from linne.audit.judged import FEWEST_IMAGES, judge
from linne.audit.label_doubt import label_doubt
from linne.audit.label_noise import label_noise
from linne.audit.leaks import group_leaks, leaks
from linne.audit.outliers import off_topic
from linne.audit.pairs import duplicate_groups
from linne.audit.quality import quality
from linne.audit.unreadable import unreadable
from linne.choose.network import Choice, choose
from linne.choose.sample import Sample, take_sample
from linne.embed.backbone import Backbone, backbone
from linne.embed.embedding import Embedding
from linne.index.columns import Columns
from linne.index.photos import read_photos, read_photos_or_images
from linne.records.errors import DataError, LinneError
from linne.records.findings import Finding, Findings
from linne.records.index import Index
from linne.records.label_noise import LabelNoise
from linne.records.plan import AUGMENTS, Augment
from linne.records.progress import Progress
from linne.road.weights import locate_with_bar
from linne.runtime.session import available_cores
from linne.split.groups import join_groups

LARGEST_SEED = 2**32 - 1
"""What NumPy, scikit-learn and torch all take."""

THUMBNAILS_SUFFICE = 0.8
"""Without a network, labels are doubted only where thumbnails tell this share of images right: digits, not photos."""

MIXED_UP = 0.3
"""Share of wrong labels from which single images are not what is wrong."""


@dataclass(frozen=True)
class Material:
    """What is at hand before the pass; `backbone` is None without pretrained weights."""

    index: Index
    sample: Sample
    choice: Choice
    backbone: Backbone | None


@dataclass(frozen=True)
class Inspection:
    """What the audit found, and ``(n,)`` numbers of the groups: copies, and what the user named."""

    findings: Findings
    groups: NDArray[np.int64]


def as_seed(seed: object) -> int:
    """Any whole number, NumPy's too, as an int; `LinneError` for what is none or out of range."""
    whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not whole or not 0 <= int(seed) <= LARGEST_SEED:  # type: ignore[call-overload]
        raise LinneError("is no seed", value=seed, remedy=f"give a whole number from 0 to {LARGEST_SEED}")
    return int(seed)  # type: ignore[call-overload,no-any-return]


def as_augment(name: object) -> Augment:
    """Check the name of a policy; `LinneError` for what is none."""
    for known in AUGMENTS:
        if name == known:
            return known
    raise LinneError("no such augmentation", value=name, remedy=f"take one of {', '.join(AUGMENTS)}")


def gather(
    photos: Path,
    columns: Columns | None,
    weights: str | PathLike[str] | None,
    network: str | None,
    seed: int,
    progress: Progress,
    labelled: bool = True,
) -> Material:
    """Read the photos and choose the network; raises what these raise. Unless `labelled`, they may have no classes."""
    index = (read_photos if labelled else read_photos_or_images)(photos, columns)
    _refuse_several_labels(photos, index)
    located = None if weights is None else locate_with_bar(weights, network, progress)
    sample = take_sample(index)
    choice = choose(sample, max(len(index.labels), 1), located, network, seed)
    return Material(index, sample, choice, backbone(choice.network, choice.pixels) if choice.pretrained else None)


def _refuse_several_labels(photos: Path, index: Index) -> None:
    """Raise where images have more labels than one, or none: no step of the road can use them yet."""
    if index.labels_of is None:
        return
    odd = int((np.diff(index.labels_of.offsets.to_numpy()) != 1).sum())
    raise DataError(
        "has images with several labels or none, and a classifier gives each image one",
        file=photos,
        value=f"{odd} of {len(index)}",
        remedy="choose one label an image; if it is one text, give --label-separator ''",
    )


def inspect(
    index: Index,
    embedding: Embedding,
    seed: int,
    progress: Progress,
    named: NDArray[np.int64] | None = None,
) -> Inspection:
    """Ask every question of the audit; `named` numbers the groups ``(n,)`` that the user named."""
    passed = embedding.passed
    features = embedding.features if embedding.network else None
    threads = available_cores()
    pairs = find_pairs(
        passed.digest,
        embedding.hash,
        embedding.thumb,
        features,
        passed.readable,
        Known.nothing(len(index)),
        threads,
        progress,
    )
    groups = duplicate_groups(pairs, len(index))
    rows = [*unreadable(index, passed.reason), *duplicates(index, pairs), *leaks(index, pairs)]
    if named is not None:
        groups = join_groups(groups, named)
        rows += group_leaks(index, named)
    doubts, notes, noise = _doubts(index, embedding, groups, seed)
    rows += [*doubts, *balance(index, passed.readable), *quality(index, embedding.facts, passed.readable)]
    if embedding.network:
        rows += off_topic(index, embedding.features, passed.readable, groups, seed)
    else:
        notes.append("pictures of something else not looked for: give pretrained weights with --weights")
    return Inspection(Findings.of(rows, index.fingerprint, notes, noise), groups)


def _doubts(
    index: Index, embedding: Embedding, groups: NDArray[np.int64], seed: int
) -> tuple[list[Finding], list[str], LabelNoise | None]:
    """Doubted labels, classes that are alike and the noise in all, where they can be judged; a note where not."""
    if not index.labels:
        return [], ["labels not judged: the images have none, or one for all"], None
    judged = judge(index, embedding.features, embedding.passed.readable, groups, seed)
    few = f"{FEWEST_IMAGES} different images each"
    if judged is None:
        return [], [f"labels not judged: fewer than two classes have {few}"], None
    skipped = len(index.labels) - len(judged.names)
    notes = [f"labels of {skipped} classes not judged: fewer than {few}"] if skipped else []
    if not embedding.network and judged.right < THUMBNAILS_SUFFICE:
        why = (
            f"by thumbnails alone only {judged.right:.0%} of the images fall into their class; "
            "give pretrained weights with --weights"
        )
        return [], [*notes, f"labels not judged: {why}"], None
    if not judged.predicted.telling:
        return [], [*notes, "labels not judged: the images tell their classes apart no better than chance"], None
    noise = label_noise(judged, seed)
    if noise.low > MIXED_UP:
        notes.append(f"{noise.share:.0%} of the labels look wrong, so many that a column of labels may have slipped")
    return [*label_doubt(index, judged), *alike_classes(judged.names, judged.alike)], notes, noise
