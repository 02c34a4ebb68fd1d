"""Dark and light photos are told of; those as they were, and strokes on black or white, are not."""

from __future__ import annotations

import numpy as np
import pytest
from images import encode
from PIL import Image
from planted_copies import digit_pictures
from some_facts import facts, facts_of, real_photos
from some_records import index

from linne.audit.exposure import dark, light
from linne.pixels.facts import Facts
from linne.records.findings import Finding


def told(check: object, found: Facts) -> list[Finding]:
    rows = len(found)
    return check(index([f"{row:02d}" for row in range(rows)]), found, np.ones(rows, bool))  # type: ignore[operator,no-any-return]


def with_levels(picture: Image.Image, factor: float, power: float = 1) -> bytes:
    values = (np.asarray(picture) / 255) ** power * factor * 255
    return encode(np.rint(values.clip(0, 255)).astype(np.uint8), "JPEG", quality=90)


def test_photos_as_they_are_are_neither() -> None:
    found = facts_of([encode(picture, "JPEG") for picture in real_photos()])
    assert told(dark, found) == told(light, found) == []


@pytest.mark.parametrize(("factor", "power"), [(1 / 4, 1), (1 / 5, 1), (1 / 2, 4)])
def test_dark_photos(factor: float, power: float) -> None:
    findings = told(dark, facts_of([with_levels(picture, factor, power) for picture in real_photos()]))
    assert len(findings) >= 7
    assert all(0.5 <= finding.score <= 1 for finding in findings)


@pytest.mark.parametrize(("factor", "power"), [(1, 1 / 30), (1, 1 / 40)])
def test_light_photos(factor: float, power: float) -> None:
    assert len(told(light, facts_of([with_levels(picture, factor, power) for picture in real_photos()]))) >= 7


def test_the_darker_the_surer() -> None:
    findings = told(dark, facts(3, brightness=[10, 30, 44], highlight=[20, 60, 100], spread=20))
    scores = [finding.score for finding in findings]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1] >= 0.5


def test_strokes_on_black_and_on_white_are_neither() -> None:
    strokes = [np.asarray(picture) for picture in digit_pictures(40)]
    found = facts_of([encode(picture, "PNG") for picture in [*strokes, *(255 - each for each in strokes)]])
    assert told(dark, found) == told(light, found) == []


def test_black_and_white_pictures_are_left_to_low_information() -> None:
    found = facts_of([encode(Image.new("RGB", (40, 40), colour), "PNG") for colour in ("black", "white")])
    assert told(dark, found) == told(light, found) == []


def test_a_dark_set_is_told_of_once() -> None:
    found = facts(40, brightness=20, highlight=60, spread=20)
    assert [(finding.path, finding.reason) for finding in told(dark, found)] == [("", "40 of 40 images are dark")]
