"""Can a class be told by how its images were made or stored, rather than by what they show?

A network learns what is easiest. Where all images of a class come from one camera, one web site or one scanner, their
size, format or border tells the class, scores are high on images from the same source, and chance elsewhere
(Geirhos et al., "Shortcut learning in deep neural networks", Nature Machine Intelligence, 2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linne.audit.colour import GRAY
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "shortcut"

BINS = 16
"""Ranges into which numbers are cut, each with as many images; fewer where there are fewer different values."""

FEWEST = 20
"""Images of a class, and of all others, below which nothing is said of it."""

TELLING = 0.9
"""Balanced accuracy of one fact alone from which on it is told of (docs/rooms/audit.md)."""

BEYOND_CHANCE = 4.0
"""Standard deviations above one half that are asked for, too: many classes are tried with many facts."""

NATURAL = "may lie in the nature of the class; if not, take pictures of all classes in one way"
"""What to do about a fact that can have to do with what is shown."""

_MADE = "take or store the pictures of all classes in one way, or a network learns this instead of what they show"


@dataclass(frozen=True)
class _Fact:
    """What might tell a class, ``(n,)``; `natural` where what is shown can have to do with it."""

    name: str
    values: NDArray[np.floating]
    natural: bool


def shortcuts(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell classes that one cheap fact alone tells from all others; of each class the most telling facts first."""
    rows = np.flatnonzero(readable & (index.label >= 0))
    labels = index.label[rows]
    classes = len(index.labels)
    counts = np.bincount(labels, minlength=classes)
    enough = (counts >= FEWEST) & (len(rows) - counts >= FEWEST)
    if classes == 2:
        enough[1] = False  # what tells the first from the second tells the second from the first
    findings = []
    for fact, recall, specificity in accuracies(index, facts, rows) if enough.any() else ():
        balanced = (recall + specificity) / 2
        others = np.maximum(len(rows) - counts, 1)
        chance = 0.25 * np.sqrt(1 / np.maximum(counts, 1) + 1 / others)
        told = enough & (balanced >= TELLING) & (balanced - 0.5 > BEYOND_CHANCE * chance)
        findings += [
            Finding(
                CHECK,
                "",
                float(2 * balanced[label] - 1),
                f"{fact.name} alone tells {index.labels[label]} from the rest: right for {recall[label]:.0%} of its "
                f"images and {specificity[label]:.0%} of all others",
                label=index.labels[label],
                remedy=NATURAL if fact.natural else _MADE,
                images=int(counts[label]),
            )
            for label in np.flatnonzero(told)
        ]
    return findings


def rule_accuracy(
    values: NDArray[np.int64], labels: NDArray[np.integer], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Recall and specificity, leaving one out, of a rule that knows one discrete fact.

    The rule says a class where a value is commoner in the class than in all others together. What it says of an image
    is learnt from the others only, so that a value which only one image has tells nothing.

    Parameters
    ----------
    values : (m,) int64 array
        From 0.
    labels : (m,) int array
    classes : int

    Returns
    -------
    recall, specificity : (classes,) float64 array
    """
    sorts = int(values.max(initial=-1)) + 1
    inside = np.bincount(labels * sorts + values, minlength=classes * sorts).reshape(classes, sorts).astype(np.float64)
    outside = inside.sum(axis=0) - inside
    images, others = inside.sum(axis=1, keepdims=True), outside.sum(axis=1, keepdims=True)
    says_so = (inside - 1) * others > outside * (images - 1)
    says_not = inside * (others - 1) <= (outside - 1) * images
    recall = (inside * says_so).sum(axis=1) / np.maximum(images[:, 0], 1)
    specificity = (outside * says_not).sum(axis=1) / np.maximum(others[:, 0], 1)
    return recall, specificity


def accuracies(
    index: Index, facts: Facts, rows: NDArray[np.int64]
) -> Iterator[tuple[_Fact, NDArray[np.float64], NDArray[np.float64]]]:
    """Each fact, and for each class recall and specificity ``(classes,)`` of the rule that it alone makes."""
    for fact in _facts(facts, rows):
        yield fact, *rule_accuracy(_binned(fact.values), index.label[rows], len(index.labels))


def _facts(facts: Facts, rows: NDArray[np.int64]) -> list[_Fact]:
    width, height = facts.width[rows].astype(np.float64), facts.height[rows].astype(np.float64)
    return [
        _Fact("file format", facts.format[rows].astype(np.float64), False),
        _Fact("colour mode", facts.mode[rows].astype(np.float64), False),
        _Fact("EXIF orientation", facts.orientation[rows].astype(np.float64), False),
        _Fact("size", width * height, False),
        _Fact("compression (bytes a pixel)", facts.bytes[rows] / np.maximum(width * height, 1), False),
        _Fact("sharpness", np.nan_to_num(facts.sharpness[rows]).astype(np.float64), False),
        _Fact("being gray", (facts.chroma[rows] <= GRAY).astype(np.float64), True),
        _Fact("aspect ratio", width / np.maximum(height, 1), True),
        _Fact("brightness", facts.brightness[rows].astype(np.float64), True),
        _Fact("a plain margin", facts.margin[rows].astype(np.float64), True),
        _Fact("brightness of the rim", facts.rim[rows].astype(np.float64), True),
    ]


def _binned(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Number the different values, or ranges of them that hold as many images each."""
    edges = np.unique(values)[1:]
    if len(edges) >= BINS:
        edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    return np.asarray(np.searchsorted(edges, values, side="right"), np.int64)
