"""Odd modes, rotation by EXIF, gray among colour: notes on files where they are few, one on the set where not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from images import encode, noise, scene, turned
from PIL import Image
from planted_copies import digit_pictures
from some_facts import facts_of
from some_records import index

from linne.audit.colour import odd_colour
from linne.audit.modes import odd_modes
from linne.audit.rotated import rotated
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

Check = Callable[[Index, Facts, np.ndarray], list[Finding]]


def told(check: Check, files: list[bytes]) -> list[Finding]:
    return check(index([f"{row:03d}" for row in range(len(files))]), facts_of(files), np.ones(len(files), bool))


COLOUR = encode(scene(30, 40), "PNG")
GRAY = encode(noise(30, 40, 1), "PNG")


def frames(kind: str) -> bytes:
    first, second = (Image.fromarray(scene(20, 20, seed)) for seed in (1, 2))
    return encode(first, kind, save_all=True, append_images=[second])


ODD = {
    "16 bits": encode((noise(9, 9, 1).astype(np.uint16) * 200), "PNG"),
    "float": encode(noise(9, 9, 1).astype(np.float32), "TIFF"),
    "CMYK": encode(Image.fromarray(scene(20, 20)).convert("CMYK"), "JPEG"),
    "alpha": encode(noise(9, 9, 4), "PNG"),
    "gray with alpha": encode(Image.new("LA", (9, 9)), "PNG"),
    "palette": encode(Image.fromarray(scene(20, 20)).convert("P"), "PNG"),
    "animated GIF": frames("GIF"),
    "animated WebP": frames("WEBP"),
    "animated PNG": frames("PNG"),
    "pages": frames("TIFF"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_modes(kind: str) -> None:
    (finding,) = told(odd_modes, [COLOUR, ODD[kind], GRAY])
    assert finding.path == "001"
    assert 0 < finding.score < 1
    assert finding.remedy


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF"])
def test_common_modes_are_not_odd(kind: str) -> None:
    files = [encode(scene(20, 20), kind), encode(Image.fromarray(noise(20, 20, 1)), kind)]
    assert told(odd_modes, files) == []
    assert told(odd_modes, [encode(Image.new("1", (9, 9)), "PNG"), encode(Image.new("P", (9, 9)), "BMP")])[1:] == []


def test_a_set_in_one_mode_is_told_of_once() -> None:
    assert [finding.path for finding in told(odd_modes, [ODD["alpha"]] * 20)] == [""]


def test_gray_scans_are_no_finding() -> None:
    files = [encode(picture, "PNG") for picture in digit_pictures(60)]
    for check in (odd_modes, rotated, odd_colour):
        assert told(check, files) == []


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_rotated_by_exif(kind: str, orientation: int) -> None:
    findings = told(rotated, [COLOUR, turned(scene(30, 40), orientation, kind)])
    assert [finding.path for finding in findings] == ["001"] * (orientation > 1)
    assert all(finding.score < 0.5 for finding in findings)


def test_photos_of_a_phone_are_told_of_once() -> None:
    (finding,) = told(rotated, [turned(scene(30, 40), 6, "JPEG")] * 11 + [COLOUR] * 20)
    assert finding.path == ""
    assert finding.reason.startswith("11 of 31")


def test_few_gray_among_coloured_and_the_reverse() -> None:
    as_colour = encode(Image.fromarray(noise(30, 40, 1)).convert("RGB"), "JPEG")
    assert [finding.path for finding in told(odd_colour, [GRAY, as_colour] + [COLOUR] * 40)] == ["000", "001"]
    assert [finding.path for finding in told(odd_colour, [COLOUR] + [GRAY] * 40)] == ["000"]
    assert told(odd_colour, [COLOUR] * 10 + [GRAY] * 10) == []
    assert told(odd_colour, [COLOUR] * 10) == told(odd_colour, []) == []
