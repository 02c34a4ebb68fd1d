"""Balance, leaks and unreadable files, in numbers."""

from __future__ import annotations

import numpy as np
from some_records import index

from linne.audit.balance import IMBALANCE, SMALL, balance
from linne.audit.leaks import group_leaks, leaks
from linne.audit.pairs import Pairs
from linne.audit.unreadable import unreadable
from linne.records.findings import Finding
from linne.records.index import NONE, TEST, TRAIN, VALIDATION, Index
from linne.records.set_aside import SetAside


def with_counts(*counts: int) -> Index:
    label = np.repeat(np.arange(len(counts)), counts)
    return index([f"{row}.png" for row in range(len(label))], tuple("abcdef"[: len(counts)]), label=label.tolist())


def checks(findings: list[Finding]) -> list[str]:
    return [finding.check for finding in findings]


def test_balanced_classes_are_no_finding() -> None:
    images = with_counts(20, 200, 100)
    assert balance(images, np.ones(len(images), bool)) == []


def test_small_classes_and_imbalance() -> None:
    images = with_counts(19, 191, 5)
    findings = balance(images, np.ones(len(images), bool))
    assert checks(findings) == [SMALL, SMALL, IMBALANCE]
    assert [round(finding.score, 3) for finding in findings] == [0.05, 0.75, round(1 - 5 / 191, 3)]
    assert all(finding.path == "" for finding in findings)


def test_only_readable_images_count() -> None:
    images = with_counts(25, 25)
    readable = np.ones(50, bool)
    readable[:25] = False
    findings = balance(images, readable)
    assert checks(findings) == [SMALL, IMBALANCE]
    assert findings[0].score == 1
    assert checks(balance(images, np.zeros(50, bool))) == [SMALL, SMALL]


def test_an_index_without_images() -> None:
    assert checks(balance(with_counts(0, 0), np.zeros(0, bool))) == [SMALL, SMALL]


def pairs(*each: tuple[int, int]) -> Pairs:
    first, second = np.array(each, np.int64).reshape(-1, 2).T
    return Pairs(first, second, np.full(len(each), 0.99, np.float32), np.zeros(len(each), np.int8))


def test_leaks_are_copies_in_two_subsets_that_the_user_supplied() -> None:
    images = index(list("abcde"), subset=[TRAIN, TRAIN, TEST, VALIDATION, NONE])
    found = leaks(images, pairs((0, 1), (0, 2), (2, 3), (0, 4)))
    assert [(finding.other, finding.path) for finding in found] == [("a", "d"), ("a", "c")]  # all that a group holds
    assert all(round(finding.score, 2) == 0.99 for finding in found)
    assert leaks(images, pairs()) == []
    assert leaks(index(list("ab")), pairs((0, 1))) == []


def test_named_groups_in_two_subsets_are_leaks() -> None:
    images = index(list("abcdef"), subset=[TEST, TRAIN, TRAIN, VALIDATION, NONE, TRAIN])
    found = group_leaks(images, np.array([7, 7, 7, 7, 5, 5]))
    assert [(finding.other, finding.path) for finding in found] == [("b", "d"), ("b", "a")]
    assert group_leaks(images, np.arange(6)) == []


def test_unreadable_images_and_files_that_are_no_images_but_should_be() -> None:
    aside = (SetAside("notes.txt", "no image, by its name"), SetAside("cat/empty.jpg", "empty file"))
    images = index(["a", "b", "c"], set_aside=aside)
    found = unreadable(images, np.array(["", "is damaged", ""]))
    assert [(finding.path, finding.reason) for finding in found] == [
        ("b", "is damaged"),
        ("cat/empty.jpg", "empty file"),
    ]
    assert unreadable(index([]), np.empty(0, "U10")) == []
