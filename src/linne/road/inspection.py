"""What the audit finds: every question asked of what one pass knows of the images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linne.audit.alike_classes import alike_classes
from linne.audit.balance import balance
from linne.audit.compared import COMPARING, recall, remember
from linne.audit.duplicates import duplicates, find_pairs
from linne.audit.first_steps import DataSet, first_steps
from linne.audit.judged import FEWEST_IMAGES, judge
from linne.audit.label_doubt import label_doubt
from linne.audit.label_noise import label_noise
from linne.audit.leaks import group_leaks, leaks
from linne.audit.outliers import off_topic
from linne.audit.pairs import Pairs, duplicate_groups
from linne.audit.pictures import Pictures
from linne.audit.quality import quality
from linne.audit.survey import survey
from linne.audit.unreadable import unreadable
from linne.embed.embedding import Embedding
from linne.embed.look import LOOKS_SHELF
from linne.records.findings import Finding, Findings
from linne.records.fingerprint import of_settings
from linne.records.index import Index
from linne.records.label_noise import LabelNoise
from linne.records.progress import Progress
from linne.records.truth import task_of
from linne.runtime.cores import available_cores
from linne.split.groups import join_groups

THUMBNAILS_SUFFICE = 0.8
"""Without a network, labels are doubted only where thumbnails tell this share of images right: digits, not photos."""

MIXED_UP = 0.3
"""Share of wrong labels from which single images are not what is wrong."""


@dataclass(frozen=True)
class Inspection:
    """What the audit found, and ``(n,)`` numbers of the groups: copies, and what the user named."""

    findings: Findings
    groups: NDArray[np.int64]


def inspect(
    index: Index,
    embedding: Embedding,
    seed: int,
    store: Path,
    progress: Progress,
    named: NDArray[np.int64] | None = None,
) -> Inspection:
    """Ask every question of the audit.

    Parameters
    ----------
    index : Index
    embedding : Embedding
    seed : int
    store : Path
        Folder of the store, which remembers the copies among what was compared before.
    progress : Progress
    named : (n,) int64 array, optional
        Numbers of the groups that the user named.

    Raises
    ------
    WriteError
        The store could not be written.
    """
    passed = embedding.passed
    pairs = _copies(index, embedding, store, progress)
    groups = duplicate_groups(pairs, len(index))
    rows = [*unreadable(index, passed.reason), *duplicates(index, pairs), *leaks(index, pairs)]
    if named is not None:
        groups = join_groups(groups, named)
        rows += group_leaks(index, named)
    doubts, notes, noise = _doubts(index, embedding, groups, seed)
    # What gives a class away is asked of one class an image.
    asked_of = index.without_labels() if task_of(index) == "multi" else index
    rows += [*doubts, *balance(index, passed.readable), *quality(asked_of, embedding.facts, passed.readable)]
    if embedding.network:
        rows += off_topic(index, embedding.features, passed.readable, groups, seed)
    else:
        notes.append("pictures of something else not looked for: give pretrained weights with --weights")
    first = first_steps(rows, DataSet(len(index), len(index.labels), noise))
    seen = survey(index, embedding.facts, passed.readable)
    return Inspection(Findings.of(rows, index.fingerprint, notes, noise, seen, first), groups)


def _copies(index: Index, embedding: Embedding, store: Path, progress: Progress) -> Pairs:
    """Copies among all images; only what was added since the last time is compared."""
    passed, features = embedding.passed, embedding.features if embedding.network else None
    seen_by = [index.root, embedding.shelf, LOOKS_SHELF, COMPARING]
    memory = store / "compared" / f"{of_settings(seen_by)}.npz"
    known = recall(memory, passed.digest, passed.readable)
    seen = Pictures(passed.digest, embedding.hash, embedding.thumb, embedding.detail, features, passed.readable)
    pairs = find_pairs(seen, known, available_cores(), progress)
    if not known.compared[passed.readable].all():
        remember(memory, passed.digest, passed.readable, pairs)
    return pairs


def _doubts(
    index: Index, embedding: Embedding, groups: NDArray[np.int64], seed: int
) -> tuple[list[Finding], list[str], LabelNoise | None]:
    """Doubted labels, classes that are alike and the noise in all, where they can be judged; a note where not."""
    if not index.labels:
        return [], ["labels not judged: the images have none, or one for all"], None
    if task_of(index) == "multi":
        return [], ["labels, and what gives classes away, not judged: images have several labels or none"], None
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
    return [*label_doubt(index, judged), *alike_classes(judged.names, judged.labels, judged.alike)], notes, noise
