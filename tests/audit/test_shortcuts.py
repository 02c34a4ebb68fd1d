"""A class that something cheap gives away is told of; chance and mild differences are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from some_facts import facts
from some_records import index

from linne.audit.shortcuts import accuracies, rule_accuracy, shortcuts
from linne.records.findings import Finding


def told(labels: np.ndarray, classes: int = 3, **columns: Any) -> list[Finding]:
    rows = len(labels)
    names = tuple(f"class {number}" for number in range(classes))
    images = index([str(row) for row in range(rows)], names, label=labels.tolist())
    return shortcuts(images, facts(rows, **columns), np.ones(rows, bool))


LABELS = np.arange(300) % 3
RNG = np.random.default_rng(0)


def test_alike_in_everything() -> None:
    assert told(LABELS) == []


@pytest.mark.parametrize(
    ("column", "usual", "odd", "fact"),
    [
        ("format", 0, 1, "file format"),
        ("mode", 1, 2, "colour mode"),
        ("orientation", 1, 6, "EXIF orientation"),
        ("width", 400, 640, "size"),
        ("bytes", 30_000, 90_000, "compression"),
        ("chroma", 90, 0, "being gray"),
        ("brightness", 120, 60, "brightness"),
        ("margin", 0.0, 0.2, "a plain margin"),
        ("rim", 100, 250, "brightness of the rim"),
    ],
)
def test_what_one_class_has_alone(column: str, usual: float, odd: float, fact: str) -> None:
    findings = told(LABELS, **{column: np.where(LABELS == 1, odd, usual)})
    assert findings
    assert {finding.label for finding in findings} == {"class 1"}
    assert all(finding.path == "" and finding.score == 1 for finding in findings)
    assert findings[0].reason.startswith(fact)


def test_a_band_in_the_middle_is_found() -> None:
    brightness = np.where(LABELS == 1, 120, np.where(RNG.random(300) < 0.5, 60, 200)) + RNG.normal(0, 4, 300)
    assert [finding.label for finding in told(LABELS, brightness=brightness)] == ["class 1"]


def test_chance_and_mild_differences_are_not_told() -> None:
    assert told(LABELS, brightness=RNG.normal(120, 30, 300)) == []
    assert told(LABELS, brightness=RNG.normal(120, 30, 300) + 30 * (LABELS == 1)) == []


def test_many_classes_by_chance() -> None:
    labels = np.arange(10_000) % 400
    assert told(labels, 400, brightness=RNG.normal(120, 30, 10_000), width=RNG.integers(100, 900, 10_000)) == []


def test_two_classes_are_told_apart_once() -> None:
    labels = np.arange(100) % 2
    assert [finding.label for finding in told(labels, 2, format=labels)] == ["class 0"]


def test_small_classes_one_class_and_none() -> None:
    labels = np.append(np.zeros(100, int), np.ones(5, int))
    assert told(labels, 2, format=labels) == []
    assert told(np.zeros(100, int), 1) == []
    assert told(np.full(100, -1), 1) == told(np.zeros(0, int), 2) == []


def test_ten_thousand_classes() -> None:
    labels = np.arange(30_000) % 10_000
    assert told(labels, 10_000, brightness=RNG.normal(120, 30, 30_000)) == []


def test_values_that_one_image_alone_has_tell_nothing() -> None:
    recall, specificity = rule_accuracy(np.arange(100), np.arange(100) % 2, 2)
    assert recall.tolist() == [0, 0]
    assert (recall + specificity <= 1).all()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=30))
def test_the_rule_leaves_each_image_out(each: list[tuple[int, int]]) -> None:
    """Against the same rule, learnt anew without each image."""
    values, labels = np.array(each).T
    recall, specificity = rule_accuracy(values, labels, 3)
    for label in range(3):
        said = []
        for row in range(len(labels)):
            rest = np.arange(len(labels)) != row
            inside, outside = rest & (labels == label), rest & (labels != label)
            here = values == values[row]
            said.append((here & inside).sum() * max(outside.sum(), 0) > (here & outside).sum() * max(inside.sum(), 0))
        mine = labels == label
        if mine.any():
            assert recall[label] == pytest.approx(np.mean(np.array(said)[mine]))
        if (~mine).any():
            assert specificity[label] == pytest.approx(1 - np.mean(np.array(said)[~mine]))


def test_every_fact_has_its_accuracy() -> None:
    images = index([str(row) for row in range(300)], ("a", "b", "c"), label=LABELS.tolist())
    found = accuracies(images, facts(300, format=LABELS == 2), np.arange(300))
    balanced = {fact.name: (recall[2] + specificity[2]) / 2 for fact, recall, specificity in found}
    assert balanced["file format"] == 1
    assert balanced["size"] <= 0.5
