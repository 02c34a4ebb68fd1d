"""Are images mirrored only where that keeps their label?"""

from __future__ import annotations

from collections.abc import Callable

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
        ("leftover food", "fresh food"),
        ("left-over food", "right whale", "right triangle", "Right-angled triangle"),
        ("Right-of-way at the next intersection", "Stop"),
        ("Wright Flyer", "Brightwater", "all rights reserved"),
        ("northwest airlines", "southeast asia"),
        ("West Highland white terrier", "Norwich terrier"),
        ("Western Gull", "Eastern Towhee"),
        ("Upright piano", "grand piano", "downright bad"),
        ("XL", "dress"),
        ("hand_L", "foot"),
        ("links", "footpath"),
        ("port", "sherry"),
        ("letter_opener", "number plate", "digital clock", "character actor"),
        ("one", "many"),
        ("one-piece", "two-piece"),
        ("b", "dress"),
        ("route 66", "catch 22"),
        ("lock", "rock"),
        ("cat", "狗屋"),
        ("",),
        (),
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
        ("turn left ahead", "stop"),
        ("keep-right", "no entry"),
        ("Dangerous curve to the left", "Road work"),
        ("hand_L", "hand_R"),
        ("L", "R", "none"),
        ("eyeL", "eyeR"),
        ("HANDLeft", "HANDUp"),
        ("leftHand", "rightHand"),
        ("lefteye", "nose"),
        ("turnleft", "straight"),
        ("upleft", "upright"),
        ("copyleft", "copyright"),
        ("left-handed", "ambidextrous"),
        ("west wing", "east wing"),
        ("north", "south", "east", "west"),
        ("NW", "NE", "calm"),
        ("cw", "ccw"),
        ("OD", "OS"),
        ("port side", "starboard side"),
        ("links", "rechts"),
        ("rechts abbiegen", "geradeaus"),
        ("linke Hand", "rechte Hand"),
        ("tourner à gauche", "tout droit"),
        ("girar a la izquierda", "alto"),
        ("va\u0308nster hand", "fot"),
        ("поворот налево", "стоп"),
        ("左转", "停"),
        ("왼쪽 손", "발"),
        ("6", "9", "cat"),
        ("b", "d", "cat", "dog", "hen"),
        (*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "del", "nothing", "space"),
        ("zero", "one", "two", "three"),
        ("Seven", "Nine", "other"),
        ("digit_3", "digit_4"),
        ("letter-b", "letter-d"),
        ("char_A", "char_B"),
        ("number seven", "number one"),
        ("character_1_ka", "character_2_kha"),
        ("class_0", "class_1", "class_2"),
        ("3",),
    ],
)
def test_not_mirrored(labels: tuple[str, ...]) -> None:
    assert not mirrored_keeps_label(labels)[0]


@pytest.mark.parametrize("write", [str.upper, str.title, "the {} one".format, "a_{}".format, "{}-2".format])
@pytest.mark.parametrize("side", ["left", "right"])
def test_sides_are_found_however_they_are_written(side: str, write: Callable[[str], str]) -> None:
    assert not mirrored_keeps_label(("cat", write(side)))[0]


@pytest.mark.parametrize("name", ["{}y", "b{}", "{}over", "x{}ening"])
def test_sides_within_words_are_none(name: str) -> None:
    assert mirrored_keeps_label(("cat", name.format("left")))[0]
    assert mirrored_keeps_label(("cat", name.format("right")))[0]


def test_the_order_of_classes_does_not_matter() -> None:
    for labels in (("hand_L", "hand_R"), ("6", "cat", "9"), ("east wing", "west wing"), ("cat", "dog")):
        assert mirrored_keeps_label(labels)[0] == mirrored_keeps_label(labels[::-1])[0]


def test_the_reason_names_the_class() -> None:
    assert "Turn Right" in mirrored_keeps_label(("cat", "Turn Right"))[1]
