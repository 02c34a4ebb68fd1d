"""Names that say another format than the file holds."""

from __future__ import annotations

import numpy as np
import pytest
from images import encode, noise
from some_facts import facts, facts_of
from some_records import index

from linne.audit.wrong_extension import SUFFIXES, wrong_extension
from linne.pixels.decode import FORMATS
from linne.records.findings import Finding


def told(names: list[str], kinds: list[str]) -> list[Finding]:
    found = facts(len(names), format=[FORMATS.index(kind) for kind in kinds])
    return wrong_extension(index(names), found, np.ones(len(names), bool))


def test_every_format_that_is_read_has_suffixes() -> None:
    assert set(SUFFIXES) == set(FORMATS)


@pytest.mark.parametrize("kind", FORMATS)
def test_right_names_are_no_finding(kind: str) -> None:
    names = [f"a/b.c/x.{suffix}" for suffix in SUFFIXES[kind]]
    assert told([*names, *(name.upper() for name in names)], [kind] * 2 * len(names)) == []


def test_wrong_names() -> None:
    findings = told(["a.jpg", "b.PNG", "c.png", "d.jpg"], ["PNG", "JPEG", "PNG", "WEBP"])
    assert [finding.path for finding in findings] == ["a.jpg", "b.PNG", "d.jpg"]
    assert "PNG" in findings[0].reason
    assert ".jpg" in findings[0].reason
    assert all(0 < finding.score < 1 for finding in findings)


def test_names_that_say_nothing() -> None:
    assert told(["a", "b.part", "train.parquet/7", "jpg", ".jpg.", "é.фото"], ["PNG"] * 6) == []


def test_real_files() -> None:
    files = [encode(noise(8, 8), kind) for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")]
    images = index([f"{number}.jpg" for number in range(len(files))])
    found = wrong_extension(images, facts_of(files), np.ones(len(files), bool))
    assert [finding.path for finding in found] == [f"{number}.jpg" for number in range(1, len(files))]


def test_a_whole_set_of_wrong_names_and_unreadable_files() -> None:
    (one,) = told([f"{row}.jpg" for row in range(30)], ["PNG"] * 30)
    assert (one.path, one.reason.split()[0]) == ("", "30")
    found = facts(1, format=FORMATS.index("PNG"))
    assert wrong_extension(index(["a.jpg"]), found, np.zeros(1, bool)) == []
