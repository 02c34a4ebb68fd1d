"""Are images mirrored only where that keeps their label?"""

from __future__ import annotations

import pytest

from linne.fit.handedness import mirrored_keeps_label


@pytest.mark.parametrize(
    "labels",
    [
        ("cat", "dog"),
        ("bright", "dark"),
        ("copyright", "upright"),
        ("leftovers", "soup"),
        ("frightened", "calm"),
        ("western", "comedy"),
        ("northwesterly", "b2"),
        ("7up", "cola"),
        ("T-Shirt", "Hat"),
        ("a", "dress"),
        ("Brightness", "Contrast"),
    ],
)
def test_mirrored(labels: tuple[str, ...]) -> None:
    assert mirrored_keeps_label(labels)[0]


@pytest.mark.parametrize(
    "labels",
    [
        ("left", "none"),
        ("cat", "Turn Right"),
        ("hand_left", "hand_up"),
        ("arrow-right", "arrow-up"),
        ("LEFT", "UP"),
        ("turnRight", "turnBack"),
        ("leftTurn", "stop"),
        ("right2", "other"),
        ("clockwise", "none"),
        tuple("0123456789"),
        tuple("abcXYZ"),
        ("2", "b"),
        ("0", "7", "12", "42"),
        ("00000", "00001"),
        ("ß", "ü"),
    ],
)
def test_not_mirrored(labels: tuple[str, ...]) -> None:
    assert not mirrored_keeps_label(labels)[0]


def test_the_reason_names_the_class() -> None:
    assert "Turn Right" in mirrored_keeps_label(("cat", "Turn Right"))[1]
