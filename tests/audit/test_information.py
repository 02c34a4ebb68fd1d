"""Pictures of next to one colour are told of; sparse strokes are not."""

from __future__ import annotations

import numpy as np
from images import encode, scene
from planted_copies import digit_pictures
from some_facts import facts_of, real_photos
from some_records import index

from linne.audit.information import CHECK, low_information
from linne.records.findings import Finding


def told(files: list[bytes]) -> list[Finding]:
    return low_information(index([str(row) for row in range(len(files))]), facts_of(files), np.ones(len(files), bool))


def test_plain_noisy_and_sloped_pictures() -> None:
    rng = np.random.default_rng(0)
    plain = np.full((60, 80, 3), 130, np.uint8)
    noisy = (130 + rng.normal(0, 2, plain.shape)).astype(np.uint8)
    sloped = np.broadcast_to(np.linspace(120, 132, 80).astype(np.uint8)[None, :, None], plain.shape).copy()
    findings = told([encode(picture, "PNG") for picture in (plain, noisy, sloped)])
    assert [finding.check for finding in findings] == [CHECK] * 3
    assert findings[0].score == 1
    assert all(0.5 <= finding.score <= 1 for finding in findings)


def test_photos_scenes_and_digits_show_something() -> None:
    assert told([encode(picture, "JPEG") for picture in real_photos()]) == []
    assert told([encode(scene(60, 80, seed), "PNG") for seed in range(10)]) == []
    assert told([encode(picture, "PNG") for picture in digit_pictures(100)]) == []
