"""What is worth doing first? What each check found, as the share of all images that would count for more afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from linne.audit import (
    alike_classes,
    balance,
    duplicates,
    information,
    label_doubt,
    leaks,
    outliers,
    shortcuts,
    unreadable,
)
from linne.records.findings import Finding
from linne.records.first_steps import FirstStep
from linne.records.label_noise import LabelNoise

COPY = 0.1
"""What a copy counts. A convention: copies stay in one subset, where they bias no score, and teach next to nothing."""

OFF_TOPIC = 0.5
"""Share of what is told as off topic that shows none of the classes, as measured (docs/rooms/audit.md)."""

MADE, NATURAL = 0.5, 0.1
"""What an image of a class counts that a fact gives away, times how well it does: a fact of how files are made, and one
that may lie in the nature of the class. Conventions, too."""

_Z2 = 1.96**2


@dataclass(frozen=True, slots=True)
class DataSet:
    """What gains are shares of.

    Attributes
    ----------
    images, classes : int
    noise : LabelNoise or None
    """

    images: int
    classes: int
    noise: LabelNoise | None


Gain = Callable[[list[Finding], DataSet], float]
"""How many images count for more, from one check's findings."""


def first_steps(rows: Iterable[Finding], data: DataSet) -> tuple[FirstStep, ...]:
    """Order checks by expected gain; those that promise none, which are for information, are left out."""
    by_check: dict[str, list[Finding]] = {}
    for row in rows:
        by_check.setdefault(row.check, []).append(row)
    rules = {**RULES, **{check: PICTURES for check in by_check if check not in RULES}}
    steps = []
    for check, (gain, reason, remedy) in rules.items():
        found = by_check.get(check, [])
        images = min(gain(found, data), data.images) if found else 0
        if images > 0:
            said = reason.format(n=f"{len(found):,}", images=_number(images), classes=f"{data.classes:,}")
            steps.append(FirstStep(check, len(found), images / data.images, said, remedy or _surest(found).remedy))
    return tuple(sorted(steps, key=lambda step: -step.gain))


def recall_width(images: int) -> float:
    """Width of the 95% interval (Wilson) of the recall of a class of which half is found: 1 without an image."""
    return float((_Z2 / (images + _Z2)) ** 0.5)


def _all(_: list[Finding], data: DataSet) -> float:
    return data.images


def _each(rows: list[Finding], _: DataSet) -> float:
    return len(rows)


def _labels(rows: list[Finding], data: DataSet) -> float:
    """As many labels as are wrong by the estimate over all, and no more than are listed."""
    return len(rows) if data.noise is None else min(len(rows), data.noise.share * data.noise.judged)


def _smaller(rows: list[Finding], _: DataSet) -> float:
    """Images of each class that is one with a larger class, by how alike they are."""
    return _of_classes((row.label, row.images * row.score) for row in rows)


def _given_away(rows: list[Finding], _: DataSet) -> float:
    """Images of each class with a shortcut, by the one that counts most."""
    shares = {True: NATURAL, False: MADE}
    return _of_classes((row.label, row.images * row.score * shares[row.remedy == shortcuts.NATURAL]) for row in rows)


def _of_classes(counted: Iterable[tuple[str, float]]) -> float:
    """Each class once."""
    most: dict[str, float] = {}
    for label, images in counted:
        most[label] = max(most.get(label, 0), images)
    return sum(most.values())


def _recall(rows: list[Finding], data: DataSet) -> float:
    """A class is one of all, whatever its size, and what is not known of it is the width of an interval."""
    return data.images * sum(recall_width(row.images) for row in rows) / max(data.classes, 1)


def _images(rows: list[Finding], _: DataSet) -> float:
    return sum(row.images for row in rows)


def _severity(rows: list[Finding], _: DataSet) -> float:
    """A fault has one half at its threshold, where it counts nothing; notes have less, and never count."""
    return sum(row.images * max(2 * row.score - 1, 0) for row in rows)


def _odd_ones(rows: list[Finding], data: DataSet) -> float:
    """What most images have is how these pictures are: a fault only if those in use differ, which nobody knows."""
    return _severity([row for row in rows if row.path], data)


def _times(share: float, gain: Gain) -> Gain:
    return lambda rows, data: share * gain(rows, data)


def _surest(rows: list[Finding]) -> Finding:
    return max(rows, key=lambda row: row.score)


def _number(images: float) -> str:
    return f"{images:,.0f}" if images >= 10 or images == int(images) else f"{images:.1f}"


Rule = tuple[Gain, str, str]
"""How the gain is reckoned; why, in a sentence; what to do."""

_COPIES: Rule = (
    _times(COPY, _each),
    "{n} copies bias no score, for linne keeps them in one subset, but teach next to nothing: each counts a tenth",
    "keep one of each group",
)

PICTURES: Rule = (
    _odd_ones,
    "by how far each is beyond the threshold, they count as {images}",
    "",
)
"""Of all checks that judge single pictures: what to do is said by the finding."""

RULES: dict[str, Rule] = {
    leaks.CHECK: (
        _all,
        "copies, or images of a group, are in two subsets {n} times: scores are too high, and until this is mended no "
        "number can be trusted, which counts as all images",
        "keep each group of copies in one subset, or leave the split to linne",
    ),
    unreadable.CHECK: (
        _each,
        "{n} files are of no use as they are: each counts as one image",
        "replace or remove them",
    ),
    duplicates.TWO_LABELS: (
        _each,
        "of the two labels of such a pair one is wrong: one image each",
        "decide on one label, and keep one",
    ),
    label_doubt.CHECK: (
        _labels,
        "the other images speak against {n} labels; by the estimate over all labels about {images} of these are wrong, "
        "less what the classifier that judges them gets wrong itself",
        "look at them, the surest first, and relabel what is wrong",
    ),
    alike_classes.CHECK: (
        _smaller,
        "if two classes are one, labels between them are chance: the images of the smaller one, by how alike they are",
        "merge them, or settle what tells them apart",
    ),
    balance.SMALL: (
        _recall,
        "what is not known of a class is the width of its recall's 95% interval, and each is one of {classes} classes",
        "add images of these classes, or merge them with others",
    ),
    information.CHECK: (
        _severity,
        "pictures that show nothing teach nothing: by how little they show, they count as {images}",
        "remove them",
    ),
    shortcuts.CHECK: (
        _given_away,
        "a network may learn how pictures of these classes were made, not what they show: each counts half, or a tenth "
        "where it may be in their nature",
        "take or store the pictures of all classes in one way",
    ),
    outliers.CHECK: (
        _times(OFF_TOPIC, _each),
        "about half of such images show none of the classes: {n} count as {images}",
        "look at them, and remove what shows none of the classes",
    ),
    duplicates.EXACT_COPY: _COPIES,
    duplicates.NEAR_COPY: _COPIES,
    balance.IMBALANCE: (
        _images,
        "accuracy hides how the smallest class does: its {images} images",
        "add images of it, and read macro scores",
    ),
}
"""Where gains are equal, the order is this one."""
