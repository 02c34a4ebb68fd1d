"""Findings joined to cases, filtered and sorted."""

from __future__ import annotations

import numpy as np
import pytest
from audited_photos import (
    ALIKE,
    ASIDE,
    COPIES,
    DARK,
    DOUBT,
    FOUND,
    IMBALANCE,
    LEAK,
    OWL_DOUBT,
    TEST_DOUBT,
    TWO_LABELS,
    UNREADABLE,
)
from some_records import index

from linne.records.findings import Finding, Findings
from linne.review.cases import NOT_THERE, Case, cases_of
from linne.review.desk import Desk
from linne.review.queue import Filter


def test_copies_are_one_case_and_each_check_of_an_image_another(desk: Desk) -> None:
    cases = desk.cases
    assert [case.kind for case in cases] == ["image"] * 2 + ["copies"] * 3 + ["image"] * 4 + ["class"] * 2
    assert cases[COPIES].paths == ("train/cat/0.jpg", "train/cat/1.jpg", "train/cat/2.jpg")
    assert cases[COPIES].checks == ("exact duplicate", "near duplicate")
    assert cases[ASIDE].rows == (NOT_THERE,)
    assert (cases[ALIKE].label, cases[ALIKE].suggestion) == ("owl", "dog")
    assert cases[DOUBT].paths == cases[DARK].paths


def test_a_chain_of_pairs_is_one_group_whatever_their_order() -> None:
    pairs = [(0, 1), (2, 3), (4, 5), (1, 2), (5, 6), (3, 4)]
    found = [Finding("near duplicate", f"{a}", 0.9, "", f"{b}") for a, b in pairs]
    (case,) = cases_of(Findings.of(found, ""), index([str(i) for i in range(8)]))
    assert case.rows == tuple(range(7))
    assert len(case.findings) == 6


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), list(range(11))),
        (Filter(check="near duplicate"), [COPIES, TWO_LABELS]),
        (Filter(check="no such check"), []),
        (Filter(label="owl"), [UNREADABLE, OWL_DOUBT, ALIKE, IMBALANCE]),
        (Filter(suggestion="dog", label="cat"), [DOUBT]),
        (Filter(label="no such class"), []),
        (Filter(text="CAT/2"), [COPIES]),
        (Filter(text=".*"), []),
        (Filter(text="Ü"), [ASIDE]),
        (Filter(test="test"), [LEAK, TEST_DOUBT]),
        (Filter(test="other", check="label doubt"), [DOUBT, OWL_DOUBT]),
        (Filter(check="label doubt", sort="path"), [TEST_DOUBT, DOUBT, OWL_DOUBT]),
        (Filter(check="label doubt", sort="class"), [DOUBT, TEST_DOUBT, OWL_DOUBT]),
        (Filter(sort="score"), [0, 1, COPIES, LEAK, TWO_LABELS, DOUBT, TEST_DOUBT, OWL_DOUBT, DARK, ALIKE, IMBALANCE]),
    ],
)
def test_filters_and_orders(desk: Desk, wanted: Filter, expected: list[int]) -> None:
    assert desk.queue.select(wanted, desk.decided).tolist() == expected


def test_an_audit_that_found_nothing(desk: Desk) -> None:
    from linne.review.queue import Queue

    empty = Queue([], np.zeros(3, np.bool_))
    assert empty.select(Filter(check="x", text="y", sort="class"), np.zeros(0, np.bool_)).tolist() == []
    assert empty.counts(np.zeros(0, np.bool_)) == []


def test_counts_a_check(desk: Desk) -> None:
    decided = np.zeros(len(desk.cases), np.bool_)
    decided[COPIES] = True
    counts = {check: (total, left) for check, total, left in desk.queue.counts(decided)}
    assert counts["exact duplicate"] == (1, 0)
    assert counts["near duplicate"] == (2, 1)
    assert set(counts) == {finding.check for finding in FOUND}


def test_examples_are_clean_images_that_are_no_test_images(desk: Desk) -> None:
    shown = desk.shown(desk.cases[DOUBT], 9)
    paths = {example["label"]: [desk.index.path(row) for row in example["rows"]] for example in shown["examples"]}
    assert paths == {
        "cat": ["train/cat/4.jpg", "train/cat/5.jpg"],
        "dog": ["train/dog/2.jpg", "train/dog/3.jpg", "train/dog/4.jpg"],
    }


def test_the_label_of_an_image_is_that_of_the_index() -> None:
    (case,) = cases_of(Findings.of([Finding("odd size", "b", 0.5, "")], ""), index(["a", "b"]))
    assert isinstance(case, Case)
    assert case.label == "dog"
