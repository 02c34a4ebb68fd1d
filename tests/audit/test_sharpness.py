"""Blur of several kinds is told of, at any size and contrast; sharp photos and small scans are not."""

from __future__ import annotations

import numpy as np
import pytest
from images import encode
from PIL import Image, ImageFilter
from planted_copies import digit_pictures
from some_facts import facts_of, real_photos
from some_records import index

from linne.audit.sharpness import CHECK, blurred
from linne.records.findings import Finding


def told(files: list[bytes]) -> list[Finding]:
    return blurred(index([str(row) for row in range(len(files))]), facts_of(files), np.ones(len(files), bool))


def moved(picture: Image.Image, length: int) -> Image.Image:
    values = np.asarray(picture, np.float32)
    steps = [np.roll(values, step, axis=1) for step in range(length)]
    return Image.fromarray(np.mean(steps, axis=0).astype(np.uint8))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("side", [1, 0.5])
def test_photos_as_they_are_are_sharp(kind: str, side: float) -> None:
    pictures = [picture.resize((round(320 * side), round(213 * side))) for picture in real_photos()]
    assert told([encode(picture, kind) for picture in pictures]) == []


@pytest.mark.parametrize("radius", [4, 6, 10])
def test_blurred_photos(radius: int) -> None:
    findings = told([encode(picture.filter(ImageFilter.GaussianBlur(radius)), "JPEG") for picture in real_photos()])
    assert [finding.check for finding in findings] == [CHECK] * 8
    assert all(0.5 <= finding.score <= 1 for finding in findings)


def test_a_camera_that_moved() -> None:
    pictures = [moved(picture, 16) for picture in real_photos()]
    assert len(told([encode(picture, "JPEG") for picture in pictures])) >= 7
    assert len(told([encode(picture.transpose(Image.Transpose.ROTATE_90), "JPEG") for picture in pictures])) >= 7


def test_thumbnails_that_were_enlarged() -> None:
    small = [picture.resize((32, 21)) for picture in real_photos()]
    files = [encode(picture.resize((320, 213), Image.Resampling.BICUBIC), "JPEG") for picture in small]
    assert len(told(files)) == 8


def test_faint_photos_are_as_sharp_as_others() -> None:
    faint = [Image.fromarray((np.asarray(picture) // 4 + 90).astype(np.uint8)) for picture in real_photos()]
    assert told([encode(picture, "PNG") for picture in faint]) == []


def test_scans_of_digits_are_sharp() -> None:
    assert told([encode(picture, "PNG") for picture in digit_pictures(200)]) == []


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (3, 3)])
def test_pictures_too_small_for_blur(size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert told([encode(values, "PNG")]) == []
