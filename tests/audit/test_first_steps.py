"""Is what is worth most told first, with the reason?"""

from __future__ import annotations

import pytest

from linne.audit.first_steps import DataSet, first_steps, recall_width
from linne.audit.shortcuts import NATURAL
from linne.records.findings import Finding
from linne.records.label_noise import LabelNoise

DATA = DataSet(1000, 10, None)


def noisy(share: float) -> DataSet:
    return DataSet(1000, 10, LabelNoise(800, share, 0.0, 1.0, ()))


def found(check: str, number: int = 1, score: float = 1.0, images: int = 1, label: str = "") -> list[Finding]:
    return [
        Finding(check, f"{i}.png", score, "why", remedy="do this", label=label, images=images) for i in range(number)
    ]


def gain(rows: list[Finding], data: DataSet = DATA) -> float:
    (step,) = first_steps(rows, data)
    assert step.findings == len(rows)
    return step.gain


def test_numbers_that_cannot_be_trusted_come_before_everything() -> None:
    rows = [*found("unreadable", 900), *found("label doubt", 800), *found("leak")]
    steps = first_steps(rows, noisy(0.9))
    assert [step.check for step in steps] == ["leak", "unreadable", "label doubt"]
    assert steps[0].gain == 1


def test_labels_count_as_many_as_are_listed_and_as_are_wrong() -> None:
    assert gain(found("label doubt", 100), noisy(0.05)) == pytest.approx(40 / 1000)
    assert gain(found("label doubt", 10), noisy(0.05)) == pytest.approx(10 / 1000)


def test_faults_count_by_how_bad_they_are_and_notes_never() -> None:
    assert gain(found("dark", 10, score=0.75)) == pytest.approx(5 / 1000)
    assert first_steps([*found("dark", 10, score=0.5), *found("rotated by EXIF", 99, score=0.3)], DATA) == ()


def test_what_most_images_have_is_no_fault_but_showing_nothing_is() -> None:
    assert first_steps([Finding("blurred", "", 0.9, "600 of 1000 images are", images=600)], DATA) == ()
    assert gain([Finding("low information", "", 0.75, "600 of 1000 images", images=600)]) == pytest.approx(0.3)


def test_copies_count_little_and_rare_pictures_half() -> None:
    assert gain(found("near duplicate", 100)) == pytest.approx(10 / 1000)
    assert gain(found("off topic", 100)) == pytest.approx(50 / 1000)


def test_a_class_counts_once_however_many_facts_give_it_away() -> None:
    rows = [*found("shortcut", 3, score=0.9, images=100, label="cat"), *found("shortcut", 1, 0.8, 50, "dog")]
    assert gain(rows) == pytest.approx(0.5 * (90 + 40) / 1000)
    natural = Finding("shortcut", "", 1.0, "by its width", label="dog", remedy=NATURAL, images=50)
    assert gain([natural]) == pytest.approx(0.1 * 50 / 1000)
    assert gain([*rows, natural]) == gain(rows)


def test_small_classes_count_by_what_their_recall_leaves_open() -> None:
    assert recall_width(0) == 1
    assert recall_width(20) == pytest.approx(0.4, abs=0.01)
    assert gain(found("small class", 2, images=0)) == pytest.approx(0.2)
    assert gain(found("small class", images=4)) > gain(found("small class", images=19))


def test_a_check_that_nobody_has_weighed_is_a_fault_of_pictures() -> None:
    (step,) = first_steps(found("{new}", 2, score=1.0), DATA)
    assert (step.gain, step.remedy) == (2 / 1000, "do this")


def test_gains_are_shares_whatever_is_found() -> None:
    rows = [
        row for check in ("unreadable", "two labels", "dark", "imbalance") for row in found(check, 5000, images=5000)
    ]
    assert {step.gain for step in first_steps(rows, DATA)} == {1}
    assert first_steps([], DataSet(0, 0, None)) == ()
    assert first_steps(found("small class", images=0), DataSet(0, 1, None)) == ()
