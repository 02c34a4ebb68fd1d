"""``linne preview`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import Call
from images import encode, place, scene


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(4):
        place(tmp_path / "photos" / ("coat", "hat")[number % 2] / f"{number}.png", encode(scene(90, 90, number), "PNG"))
    return tmp_path / "photos"


def test_the_command_prints_policy_and_mirroring(call: Call, photos: Path, tmp_path: Path) -> None:
    (photos / "coat").rename(photos / "left glove")
    done = call("preview", "photos", "--augment", "rand", "--images", 2, "--views", 1, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "RandAugment" in done.stdout
    assert "left glove" in done.stdout
    assert (tmp_path / "preview.png").is_file()
    said = json.loads(call("preview", "photos", "--mix", "--json", "--out", "b.jpg", folder=tmp_path).stdout)
    assert said["file"] == "b.jpg"
    assert (tmp_path / "b.jpg").is_file()
    assert said["policy"]["flip"] is False
    assert len(said["mixes"]) == 4
    assert {image["class"] for image in said["images"]} == {"left glove", "hat"}


def test_what_cannot_be_read_is_told(call: Call, photos: Path, tmp_path: Path) -> None:
    place(photos / "hat" / "odd.png", b"rubbish")
    done = call("preview", "photos", folder=tmp_path)
    assert done.returncode == 0
    assert "hat/odd.png" in done.stdout


def test_an_error_is_one_line_and_wrong_usage_exits_with_2(call: Call, photos: Path, tmp_path: Path) -> None:
    for arguments in (["nowhere"], ["photos", "--out", "photos/sheet.png"], ["photos", "--out", "sheet.gif"]):
        done = call("preview", *arguments, folder=tmp_path)
        assert done.returncode == 1
        assert done.stderr.startswith("linne: ")
        assert len(done.stderr.splitlines()) == 1
    for arguments in ([], ["photos", "--augment", "wild"], ["photos", "--images", "0"], ["photos", "--views", "99"]):
        assert call("preview", *arguments, folder=tmp_path).returncode == 2
